import { createHash } from "node:crypto"
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { NetlinkSocket } from "../../sys/net/netlink.ts"
import { virtualName } from "../pasta.ts"
import { FIRST_WAY, wayInterface, type RootlessUplink } from "../rootless-uplink.ts"
import { hash24 } from "./elements.ts"
import type { BalanceTable } from "./table.ts"
import type { HostWay } from "./virtual-port.ts"

/** An ordinary user's way from ports of the host: one pasta for each, since it takes its ports only when it starts. */
export async function leadHostPorts(
  { rootless, route, table }: { rootless: RootlessUplink; route: NetlinkSocket; table: BalanceTable },
  wanted: readonly HostWay[],
): Promise<void> {
  const named = new Map<string, { number: number; way: HostWay }>()
  const taken = new Set<number>()
  for (const way of wanted) {
    let number = FIRST_WAY + hash24(way.key)
    while (taken.has(number)) number++
    taken.add(number)
    named.set(virtualName(number, digestOf(way)), { number, way })
  }
  const there = rootless.ways()
  for (const old of there) if (!named.has(old.name)) await rootless.closeWay(route, old)
  const carried = new Set(there.flatMap(({ name, isCarried }) => (isCarried ? [name] : [])))
  const open: number[] = []
  for (const [name, { number, way }] of named)
    try {
      if (!carried.has(name)) {
        await rootless.closeWay(route, { name, number })
        await rootless.openWay(route, { name, number, ports: way.ports.map(published) })
      }
      open.push(number)
    } catch (error) {
      if (!isSkiffError(error)) throw error
      log.warn(`ports of "${way.key}" do not lead from this host`, { reason: error.message })
    }
  table.setTaps(open.map((number) => ({ interface: wayInterface(number), mark: number })))
}

/** IPv4 alone, on all addresses. */
function published({ protocol, hostPort, innerPort }: HostWay["ports"][number]) {
  return { protocol, hostPort, hostAddress: "0.0.0.0", innerPort, address: 0, address6: "", containerPort: innerPort }
}

function digestOf({ ports }: HostWay): string {
  return createHash("sha256").update(JSON.stringify(ports)).digest("hex").slice(0, 12)
}
