/** Whether a range that a user wants is free, and whose it is when it is not. */
import type { Database } from "../base/database.ts"
import { AlreadyExists } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { listAddresses, listIpBytes, listLinks, listRoutes, listRoutes6, type Link } from "../sys/net/rtnetlink.ts"
import { formatIpv4, formatIpv4Range, networkAddress, overlaps, parseIpv4Range, type Ipv4Range } from "./ipv4.ts"
import {
  formatIpv6,
  formatIpv6Range,
  ipv6NetworkAddress,
  ipv6Overlaps,
  parseIpv6Range,
  type Ipv6Range,
} from "./ipv6.ts"
import { ALIAS_PREFIX } from "./names.ts"
import { listNetworks } from "./network-records.ts"
import type { Network } from "./network.ts"

/** Throws AlreadyExists, saying which network, address or route of the host has some of it. Without `route` the host may have it, too. */
export function takeRange(subnet: string, db: Database, route: NetlinkSocket | undefined): Ipv4Range {
  const range = parseIpv4Range(subnet)
  const known = listNetworks(db).flatMap((network) =>
    rangesOf(network).map((one) => ({ range: one, name: network.name })),
  )
  const other = known.find((one) => overlaps(parseIpv4Range(one.range), range))
  const holder =
    other === undefined ? route && useOnHost(range, route) : `overlaps ${other.range} of network "${other.name}"`
  if (holder !== undefined) throw taken(subnet, holder)
  return range
}

/** Those of IPv4 that a network has. */
export function rangesOf({ subnet, options: { virtual } }: Pick<Network, "subnet" | "options">): string[] {
  return [...(subnet === "" ? [] : [subnet]), ...(virtual === undefined ? [] : [virtual.services, virtual.balanced])]
}

/** The same of IPv6. */
export function checkRange6(subnet: string, db: Database, route: NetlinkSocket | undefined): void {
  const range = parseIpv6Range(subnet)
  const network = listNetworks(db).find(
    (one) => one.subnet6 !== undefined && ipv6Overlaps(parseIpv6Range(one.subnet6), range),
  )
  const holder =
    network === undefined
      ? route && useOnHost6(range, route)
      : `overlaps ${network.subnet6} of network "${network.name}"`
  if (holder !== undefined) throw taken(subnet, holder)
}

function taken(subnet: string, holder: string): AlreadyExists {
  return new AlreadyExists(`subnet ${subnet} ${holder}`, {
    field: "subnet",
    hint: "choose another, or none: the next free one is taken",
    data: { object: "subnet", subnet },
  })
}

/** The default route overlaps everything and is not counted. */
function useOnHost(range: Ipv4Range, route: NetlinkSocket): string | undefined {
  const links = listLinks(route)
  const address = listAddresses(route).find((one) => overlaps(rangeOf(one), range))
  if (address !== undefined)
    return `overlaps address ${formatIpv4(address.address)}/${address.prefixLength} of ${nameOf(links, address.interfaceIndex)}`
  const way = listRoutes(route).find((one) => one.prefixLength > 0 && overlaps(rangeOf(one), range))
  if (way === undefined) return undefined
  return `overlaps the route of this host to ${formatIpv4Range(rangeOf(way))} by ${nameOf(links, way.interfaceIndex)}`
}

function useOnHost6(range: Ipv6Range, route: NetlinkSocket): string | undefined {
  const links = listLinks(route)
  const found = (one: { bytes: Uint8Array; prefixLength: number }): boolean =>
    one.bytes.length === IPV6_BYTES && one.prefixLength > 0 && ipv6Overlaps(rangeOf6(one), range)
  const address = listIpBytes(route).find(found)
  if (address !== undefined)
    return `overlaps address ${formatIpv6(numberOf(address.bytes))}/${address.prefixLength} of ${nameOf(links, address.interfaceIndex)}`
  const way = listRoutes6(route).find(found)
  if (way === undefined) return undefined
  return `overlaps the route of this host to ${formatIpv6Range(rangeOf6(way))} by ${nameOf(links, way.interfaceIndex)}`
}

const IPV6_BYTES = 16

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`)
}

function rangeOf6({ bytes, prefixLength }: { bytes: Uint8Array; prefixLength: number }): Ipv6Range {
  return { address: ipv6NetworkAddress(numberOf(bytes), prefixLength), prefixLength }
}

function rangeOf({ address, prefixLength }: Ipv4Range): Ipv4Range {
  return { address: networkAddress(address, prefixLength), prefixLength }
}

/** With the store that it belongs to, where it is a bridge of another one. */
function nameOf(links: readonly Link[], index: number): string {
  const link = links.find((one) => one.index === index)
  if (link === undefined) return `interface ${index}`
  return link.alias.startsWith(ALIAS_PREFIX)
    ? `"${link.name}", a network of the store at ${link.alias.slice(ALIAS_PREFIX.length)}`
    : `"${link.name}"`
}
