/** Published ports that go from one endpoint of a container to another: it has left the network that they were led through. */
import type { Database } from "../base/database.ts"
import { FailedPrecondition } from "../base/errors.ts"
import { close } from "../sys/libc.ts"
import { holdPort } from "../sys/net/host-port.ts"
import { getLink, hasLink } from "../sys/net/rtnetlink.ts"
import { takeSocketsOf } from "./claim-ports.ts"
import { forgetStaleCallers } from "./container-side.ts"
import type { Firewall } from "./firewall.ts"
import type { HostSockets } from "./host-side.ts"
import type { Network } from "./network.ts"
import type { PublishedPort } from "./nftables.ts"
import type { EndpointRecords, EndpointRow, PortRow } from "./records.ts"

/** What the move stands on; the driver gives it. */
export interface MovePortsDeps {
  db: Database
  records: EndpointRecords
  firewall: Firewall
  /** Where pasta binds them: binds these, in the place of those of the former endpoint. Undefined: they are held by sockets. */
  rebind: ((ports: readonly PublishedPort[], old: EndpointRow | undefined) => Promise<void>) | undefined
}

interface Move {
  from: Network
  to: Network
  containerId: string
}

/** See `NetworkDriver.movePorts`. */
export async function movePorts(deps: MovePortsDeps, host: HostSockets, move: Move): Promise<readonly PublishedPort[]> {
  const { db, records, firewall, rebind } = deps
  const { from, to, containerId } = move
  const portsOf = (network: Network): PortRow[] =>
    records.ports(containerId).filter(({ networkId }) => networkId === network.id)
  const [old, next] = [records.get(containerId, from.id), records.get(containerId, to.id)]
  if (next === undefined)
    throw new FailedPrecondition(`the container is not on network "${to.name}"`, { data: { containerId } })
  const moved = portsOf(from)
  if (moved.length === 0) return portsOf(to)
  const added = moved.map((port) => ({ ...port, address: next.address, address6: next.address6 }))
  await firewall.ensure(host.netfilter, to)
  // before the records: killed in between, the next attempt finds them where they were, and does it again
  await rebind?.([...portsOf(to), ...added], old)
  await db.whenFree()
  db.transaction(() => {
    records.removePorts(moved)
    for (const port of added) records.addPort(next, port)
    firewall.change(host.netfilter, { add: added, remove: moved })
    if (rebind === undefined && old !== undefined) rebindSockets(host, { old, next, ports: moved })
  })
  forgetStaleCallers(host, added)
  return portsOf(to)
}

/** Who holds the sockets keeps them: they are bound to the other interface. */
function rebindSockets(
  host: HostSockets,
  { old, next, ports }: { old: EndpointRow; next: EndpointRow; ports: readonly PortRow[] },
): void {
  // gone with its namespace: so are the ports
  if (ports.length === 0 || !hasLink(host.route, old.hostInterface)) return
  const [from, to] = [getLink(host.route, old.hostInterface), getLink(host.route, next.hostInterface)]
  for (const { protocol, hostPort } of ports)
    if (protocol !== "sctp")
      for (const socket of takeSocketsOf(protocol, hostPort, from.index))
        try {
          holdPort({ socket, port: hostPort }, protocol, to.index)
        } finally {
          close(socket)
        }
}
