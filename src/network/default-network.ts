import { closeSync, openSync, readFileSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { hasErrno } from "../base/errors.ts"
import { isIpv4 } from "../spec/docker/ip-address.ts"
import { lockFile } from "../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/netlink.ts"
import { addAddress, createBridge, getLink, listAddresses, listRoutes } from "../sys/rtnetlink.ts"
import { defaultMtu } from "./bridge.ts"
import { chooseSubnet } from "./choose-subnet.ts"
import { formatIpv4, formatIpv4Range, macOfAddress, networkAddress, parseIpv4Range, type Ipv4Range } from "./ipv4.ts"
import type { Network } from "./network.ts"

const COLUMNS = "id, name, driver, bridge, subnet, gateway"

export function listNetworks(db: Database): Network[] {
  return db.all<Network>(`SELECT ${COLUMNS} FROM networks ORDER BY name`)
}

/**
 * The network `bridge`, made now: it takes the first range that nothing on this host uses, and keeps it for ever.
 * Two stores that choose at once take turns, and each leaves its address in the kernel before the other looks.
 */
export function defaultNetwork(db: Database, options: { bridge: string; rootless: boolean }): Network {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  // rootless the range only has to suit this user's own namespace, and not to hide what the host reaches
  const lock = options.rootless ? undefined : openSync("/run/skiff.network.lock", "a", 0o600)
  try {
    if (lock !== undefined) lockFile(lock)
    return db.transaction(() => {
      const [existing] = db.all<Network>(`SELECT ${COLUMNS} FROM networks WHERE name = 'bridge'`)
      if (existing !== undefined) return existing
      const network = insertNetwork(db, options.bridge, chooseSubnet(busyRanges(db, route, options.bridge)))
      if (lock !== undefined) claimRange(route, network)
      return network
    })
  } finally {
    if (lock !== undefined) closeSync(lock)
  }
}

function insertNetwork(db: Database, bridge: string, range: Ipv4Range): Network {
  const network: Network = {
    id: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex"),
    name: "bridge",
    driver: "bridge",
    bridge,
    subnet: formatIpv4Range(range),
    gateway: formatIpv4(range.address + 1),
  }
  db.run(
    `INSERT INTO networks (${COLUMNS}, last_address) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    network.id,
    network.name,
    network.driver,
    network.bridge,
    network.subnet,
    network.gateway,
    range.address + 1,
  )
  return network
}

/** What the host uses or reaches, but for our own bridge: it may be left of a store that was thrown away. */
function busyRanges(db: Database, route: NetlinkSocket, bridge: string): Ipv4Range[] {
  const own = ownIndex(route, bridge)
  const used = [...listRoutes(route), ...listAddresses(route)].filter((range) => range.interfaceIndex !== own)
  return [
    ...used.map(({ address, prefixLength }) => ({ address: networkAddress(address, prefixLength), prefixLength })),
    ...nameServers().map((address) => ({ address, prefixLength: 32 })),
    ...listNetworks(db).map(({ subnet }) => parseIpv4Range(subnet)),
  ]
}

function ownIndex(route: NetlinkSocket, bridge: string): number | undefined {
  try {
    return getLink(route, bridge).index
  } catch (error) {
    if (hasErrno(error, "ENODEV")) return undefined
    throw error
  }
}

/** A name server reached by the default route must not be hidden behind the bridge. */
function nameServers(): number[] {
  let text: string
  try {
    text = readFileSync("/etc/resolv.conf", "utf8")
  } catch {
    return []
  }
  const words = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, word = ""]) => word)
  return words.filter(isIpv4).map((word) => word.split(".").reduce((number, part) => number * 256 + Number(part), 0))
}

/** Leaves the address in the kernel, for others to see; `makeBridge` does the rest. */
function claimRange(route: NetlinkSocket, network: Network): void {
  const { address, prefixLength } = parseIpv4Range(network.subnet)
  const gateway = address + 1
  try {
    createBridge(route, network.bridge, { macAddress: macOfAddress(gateway), mtu: defaultMtu(route) })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
  try {
    route.request([addAddress(getLink(route, network.bridge).index, network.bridge, gateway, prefixLength)])
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
}
