import { openSync, readFileSync } from "node:fs"
import type { Database } from "../base/database.ts"
import { hasErrno } from "../base/errors.ts"
import type { Events } from "../event/event.ts"
import { isIpv4 } from "../spec/docker/ip-address.ts"
import { lockFile, unlockAndClose } from "../sys/libc.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { addAddress, createBridge, getLink, listAddresses, listLinks, listRoutes } from "../sys/net/rtnetlink.ts"
import { defaultMtu } from "./bridge.ts"
import { chooseSubnet, type AddressPool } from "./choose-subnet.ts"
import { mtuOf } from "./driver-options.ts"
import {
  formatIpv4,
  formatIpv4Range,
  macOfAddress,
  networkAddress,
  parseIpv4,
  parseIpv4Range,
  type Ipv4Range,
} from "./ipv4.ts"
import { chooseRange6 } from "./unique-local.ts"
import type { KernelNames } from "./names.ts"
import { DEFAULT_NETWORK, type Network } from "./network.ts"
import { NETWORK_LOCK } from "./network-lock.ts"
import { rangesOf } from "./free-range.ts"
import { findNetwork, insertNetwork, listNetworks } from "./network-records.ts"
import { reapBridges } from "./reap-bridges.ts"

/** The same in every store: it can be told before the network is made. */
const DEFAULT_ID = "1f7a3c95e08b26d4".repeat(4)

interface DefaultNetworkOptions {
  rootless: boolean
  events?: Pick<Events, "append"> | undefined
  addressPools?: readonly AddressPool[] | undefined
}

/** The default network as it is on record, or as it would be made now. Changes nothing. */
export function plannedDefault(db: Database, names: KernelNames, options: DefaultNetworkOptions): Network {
  const existing = findNetwork(db, DEFAULT_NETWORK)
  if (existing !== undefined) return existing
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const range = rangeOfBridge(route, names.bridge) ?? chooseSubnet(busyRanges(db, route), options.addressPools)
  return {
    id: DEFAULT_ID,
    name: DEFAULT_NETWORK,
    driver: "bridge",
    createdAt: new Date(),
    bridge: names.bridge,
    subnet: formatIpv4Range(range),
    gateway: formatIpv4(range.address + 1),
    ...chooseRange6(),
    options: {},
  }
}

/**
 * The network `bridge`, made now: it takes the first range that nothing on this host uses, and keeps it for ever.
 * Two stores that choose at once take turns, and each leaves its address in the kernel before the other looks.
 */
export function defaultNetwork(db: Database, names: KernelNames, options: DefaultNetworkOptions): Network {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  // rootless the range only has to suit this user's own namespace, and not to hide what the host reaches
  const lock = options.rootless ? undefined : openSync(NETWORK_LOCK, "a", 0o600)
  try {
    if (lock !== undefined) lockFile(lock)
    return db.transaction(() => {
      const existing = findNetwork(db, DEFAULT_NETWORK)
      if (existing !== undefined) return existing
      if (!options.rootless) reapBridges(route)
      const range = rangeOfBridge(route, names.bridge) ?? chooseSubnet(busyRanges(db, route), options.addressPools)
      const network = insertNetwork(db, {
        id: DEFAULT_ID,
        name: DEFAULT_NETWORK,
        bridge: names.bridge,
        range,
        ...chooseRange6(),
      })
      if (!options.rootless) claimRange(route, network, names.alias)
      const attributes = { name: network.name, type: network.driver }
      options.events?.append({ type: "network", action: "create", actor: { id: network.id, attributes } })
      return network
    })
  } finally {
    if (lock !== undefined) unlockAndClose(lock)
  }
}

/** The range of a bridge of ours that is there though the records are new: they were thrown away under it. */
function rangeOfBridge(route: NetlinkSocket, bridge: string): Ipv4Range | undefined {
  const index = listLinks(route).find(({ name }) => name === bridge)?.index
  const found = listAddresses(route).find(({ interfaceIndex }) => interfaceIndex === index)
  if (found === undefined || found.prefixLength > 29) return undefined
  return { address: networkAddress(found.address, found.prefixLength), prefixLength: found.prefixLength }
}

/** What the host uses or reaches. */
export function busyRanges(db: Database, route: NetlinkSocket): Ipv4Range[] {
  const used = [...listRoutes(route), ...listAddresses(route)]
  return [
    ...used.map(({ address, prefixLength }) => ({ address: networkAddress(address, prefixLength), prefixLength })),
    ...nameServers().map((address) => ({ address, prefixLength: 32 })),
    ...listNetworks(db).flatMap(rangesOf).map(parseIpv4Range),
  ]
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
export function claimRange(route: NetlinkSocket, network: Network, alias: string): void {
  const { prefixLength } = parseIpv4Range(network.subnet)
  const gateway = parseIpv4(network.gateway)
  const mtu = mtuOf(network.options) ?? defaultMtu(route)
  try {
    createBridge(route, network.bridge, { macAddress: macOfAddress(gateway), mtu, alias })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
  try {
    route.request([addAddress(getLink(route, network.bridge).index, network.bridge, gateway, prefixLength)])
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
}
