/**
 * The firewall of one store, as text for nft(8) and as elements for netlink. Pure.
 *
 * Two tables, written once and without elements. Networks, containers and ports are elements of their sets and maps, by netlink: one more
 * costs the same with 1 or 2,000 of them, and a packet meets the same few rules.
 * A `drop` in any chain of the host wins over an `accept` of ours (nftables: each base chain of a hook must accept), so the
 * host's forward policy stays above the published ports.
 */
import { concatBytes } from "../sys/net/netlink.ts"
import { ipBytes, type IpAddress } from "../sys/net/ip-bytes.ts"
import type { ElementChange, SetElement } from "../sys/net/nfnetlink.ts"
import type { Protocol } from "../spec/docker/port-mapping.ts"
import { linkLocalAddress } from "./choose-ipv6.ts"
import { parseIp, parseIpv6 } from "./ipv6.ts"
import { HOST_RESOLVER_RULE, RESOLVER_RULE, RESOLVER_SETS } from "./dns/redirect.ts"
import { parseIpv4, parseMac } from "./ipv4.ts"
import {
  APART,
  BRIDGE_MACS,
  BRIDGES,
  GATEWAYS,
  GATEWAYS6,
  INTERNAL,
  MASQUERADED,
  MASQUERADED6,
  OWN_GATEWAYS,
  OWN_GATEWAYS6,
  PAIRS,
  ROUTED,
  ROUTED6,
  SELVES,
  SELVES6,
  SUBNETS,
  SUBNETS6,
} from "./network-elements.ts"
import { REFUSED, REFUSED6, REFUSED_LINKS, REFUSED_LINKS6, REFUSED_PORTS, REFUSED_PORTS6 } from "./refusals.ts"
import { fields, nameField, portField, PROTOCOL_NUMBERS } from "./set-fields.ts"
import { DENY, EGRESS_RULES, egressChains, egressSets, REFUSE_RULES, STRAYS } from "./egress/tables.ts"

/** A port of the host that goes to a container. */
export interface PublishedPort {
  protocol: Protocol
  hostPort: number
  /** Empty: all addresses. */
  hostAddress: string
  address: number
  /** Empty: it goes to no IPv6 address. */
  address6: string
  containerPort: number
  /** Its number in the maps: as root the host's port; rootless any that no other has, since pasta checked the address. */
  innerPort: number
}

/** What the maps know of a port. */
export type PortElement = Omit<PublishedPort, "hostPort">

/** What tells a network from those that it was before. */
export interface BridgeNetwork {
  bridge: string
  gateway: string
}

/** Map of ports that are published on every address. */
export const PORTS = "portmap"
/** Map of ports that are published on one address. */
export const ADDRESS_PORTS = "portmap_ip"
/** The same of IPv6. */
export const PORTS6 = "portmap6"
export const ADDRESS_PORTS6 = "portmap6_ip"
/** Has ::1 in it, where what is published is reached by it (ipv6-host.ts). */
export const LOOPBACK6 = "loopback6"
/** Networks that a table is whole for: looked into by each command, matched by no rule. Another name makes all tables be written anew. */
export const NETWORKS = "networks_13"
/** Stands among them once all is there that was on record when the tables were written: what comes later adds its own. */
export const WHOLE: BridgeNetwork = { bridge: "whole", gateway: "0.0.0.0" }
/** Stands among them where the kernel has no tables of family bridge. */
export const UNGUARDED: BridgeNetwork = { bridge: "unguarded", gateway: "0.0.0.0" }
/** What containers may send with: interface, hardware address, address. */
export const SOURCES = "sources"
export const SOURCES6 = "sources6"
/** IPv6 addresses that they may say are theirs (neighbour discovery). */
export const ANNOUNCED = "announced6"
/** What the interfaces begin with by which the published ports of an ordinary user arrive: one pasta each. */
export const TAP_PREFIX = "pub"

/** What an endpoint may send: from its interface, with its addresses. */
export interface Source {
  hostInterface: string
  /** `02:42:ac:11:00:02`; empty for one made before there was a guard. */
  macAddress: string
  address: number
  /** Empty: it sends no IPv6. */
  address6: string
}

/** One made before there was a guard has no hardware address on record, one without an end on the host no bridge. */
function hasPlaceOnBridge({ hostInterface, macAddress }: Source): boolean {
  return hostInterface !== "" && macAddress !== ""
}

/** Says that the tables are whole for these networks: the last step, together with what they are whole with. */
export function networkMarks(
  action: "add" | "delete",
  table: string,
  networks: readonly BridgeNetwork[],
  { isGuarded }: { isGuarded: boolean },
): ElementChange[] {
  const elements = networks.map((network) => ({ key: networkKey(network) }))
  const mark = (family: "inet" | "bridge"): ElementChange => ({ action, family, table, set: NETWORKS, elements })
  return isGuarded ? [mark("inet"), mark("bridge")] : [mark("inet")]
}

/**
 * The guard of the bridges: a container sends, and answers questions for hardware addresses, with its own addresses alone. Otherwise
 * one with CAP_NET_RAW could take the traffic of its neighbours, or of the gateway. A table of its own, since what goes from one port of
 * a bridge to another is not routed. What is neither IPv4, ARP nor IPv6 goes nowhere.
 *
 * Of IPv6 the link's own address is the container's too. A neighbour advertisement (RFC 4861) may name own addresses alone; what routers
 * say (advertisements, redirects, and the queries of multicast listener discovery) is not for containers to say.
 */
export function guardText({ table, port }: { table: string; port: string }): string {
  return `table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  set ${NETWORKS} { type ifname . ipv4_addr; }
  set ${SOURCES} { type ifname . ether_addr . ipv4_addr; }
  set ${SOURCES6} { type ifname . ether_addr . ipv6_addr; }
  # nft 1.0.6 has no word for the target of an advertisement
  set ${ANNOUNCED} { typeof iifname . ether saddr . @th,64,128; }
  # where some may not send
  set ${REFUSED} { type ipv4_addr . ipv4_addr; flags interval; }
  set ${REFUSED_PORTS} { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval; }
  set ${REFUSED6} { type ifname . ipv6_addr; flags interval; }
  set ${REFUSED_PORTS6} { type ifname . ipv6_addr . inet_proto . inet_service; flags interval; }
  # whose neighbours are not for them: they send to the host alone
  set ${APART} { type ifname; }
  set ${BRIDGE_MACS} { type ether_addr; }
  ${egressSets()}
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname != "${port}*" accept
    iifname @${APART} jump apart
    iifname . ether saddr . ip saddr @${SOURCES} goto own
    iifname . ether saddr . arp saddr ip @${SOURCES} iifname . arp saddr ether . arp saddr ip @${SOURCES} accept
    ether type != ip6 drop
    icmpv6 type { nd-router-advert, nd-redirect, mld-listener-query } drop
    icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 @${ANNOUNCED} accept
    icmpv6 type nd-neighbor-advert drop
    iifname . ether saddr . ip6 saddr @${SOURCES6} goto own
    drop
  }
  # what is sent with an own address
  chain own {
    ip saddr . ip daddr @${REFUSED} goto ${DENY}
    ip saddr . ip daddr . ip protocol . th dport @${REFUSED_PORTS} goto ${DENY}
    iifname . ip6 daddr @${REFUSED6} goto ${DENY}
    iifname . ip6 daddr . meta l4proto . th dport @${REFUSED_PORTS6} goto ${DENY}
    ${EGRESS_RULES}
    accept
  }
  ${egressChains(port)}
  chain apart {
    ether daddr @${BRIDGE_MACS} return
    ether type arp return
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return
    drop
  }
}
`
}

/** Who may send what, as changes of its set. */
export function sourceChanges(action: "add" | "delete", table: string, sources: readonly Source[]): ElementChange[] {
  const known = sources.filter(hasPlaceOnBridge)
  const own = known.map((source) => ({ key: sourceKey(source, ipBytes(source.address)) }))
  const own6 = known.flatMap((source) =>
    addresses6(source).map((address) => ({ key: sourceKey(source, ipBytes(address)) })),
  )
  const change = (set: string, elements: readonly SetElement[]): ElementChange[] =>
    elements.length === 0 ? [] : [{ action, family: "bridge", table, set, elements }]
  return [...change(SOURCES, own), ...change(SOURCES6, own6), ...change(ANNOUNCED, own6)]
}

function sourceKey({ hostInterface, macAddress }: Source, address: Uint8Array): Uint8Array {
  return concatBytes([nameField(hostInterface), fields(parseMac(macAddress), new Uint8Array(2), address)])
}

/** Its own, and the link's own. */
function addresses6({ address6, macAddress }: Source): bigint[] {
  return address6 === "" ? [] : [parseIpv6(address6), linkLocalAddress(parseMac(macAddress))]
}

/** Discovery of neighbours and of multicast listeners. */
const OF_A_LINK =
  "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect, " +
  "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report"

/** The table of what is routed: replaces what is there in one transaction. `egress`: pasta's interface. */
export function tableText(table: string, egress?: string): string {
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  set ${NETWORKS} { type ifname . ipv4_addr; }
  # bridges of ours; which may talk to which (each to itself); those with no way out
  set ${BRIDGES} { type ifname; }
  set ${PAIRS} { type ifname . ifname; }
  set ${INTERNAL} { type ifname; }
  # their ranges; those that leave with the host's address
  set ${SUBNETS} { type ipv4_addr; flags interval; }
  set ${MASQUERADED} { type ipv4_addr; flags interval; }
  set ${SUBNETS6} { type ipv6_addr; flags interval; }
  set ${MASQUERADED6} { type ipv6_addr; flags interval; }
  # those whose members answer by this host, also each other
  set ${ROUTED} { type ipv4_addr; flags interval; }
  set ${ROUTED6} { type ipv6_addr; flags interval; }
  set ${SELVES} { type ipv4_addr . ipv4_addr; }
  set ${SELVES6} { type ipv6_addr . ipv6_addr; }
  # the host's own addresses on them, and on which each is
  set ${GATEWAYS} { type ipv4_addr; }
  set ${OWN_GATEWAYS} { type ifname . ipv4_addr; }
  set ${GATEWAYS6} { type ipv6_addr; }
  set ${OWN_GATEWAYS6} { type ifname . ipv6_addr; }
  # who went astray
  ${STRAYS.sets}
  # cards of the host by which some may neither send nor be reached
  set ${REFUSED_LINKS} { type ipv4_addr . ifname; }
  set ${REFUSED_LINKS6} { type ipv6_addr . ifname; }
  ${RESOLVER_SETS}
  # ::1, where it leads to published ports
  set ${LOOPBACK6} { type ipv6_addr; }
  # published ports: of all addresses, of one address
  map ${PORTS} { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map ${ADDRESS_PORTS} { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map ${PORTS6} { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map ${ADDRESS_PORTS6} { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    # the bridge let it come here to be answered
    ${REFUSE_RULES}
    # a neighbour on the link must not reach what is published on 127.0.0.1 (CVE-2020-8558)
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @${ADDRESS_PORTS}
    dnat ip to meta l4proto . th dport map @${PORTS}
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @${ADDRESS_PORTS6}
    dnat ip6 to meta l4proto . th dport map @${PORTS6}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    # before published ports: who publishes 53 is not asked for his neighbours' names
    ${RESOLVER_RULE}
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ${HOST_RESOLVER_RULE}
    ip6 daddr ::1 ip6 daddr != @${LOOPBACK6} accept
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    # the host asks for names by its own address there: the resolver knows it by that
    oifname "lo" ip saddr @${GATEWAYS} accept
    # the host by 127.0.0.1: the container could not answer that address
    ip saddr 127.0.0.0/8 ip daddr @${SUBNETS} masquerade
    # a container by a published port: the answer must come back this way
    ip saddr @${SUBNETS} ip daddr @${SUBNETS} ip daddr != @${ROUTED} ct status dnat masquerade
    ct status dnat ip saddr . ip daddr @${SELVES} masquerade
    ct status dnat ip6 saddr . ip6 daddr @${SELVES6} masquerade
    ip saddr @${MASQUERADED} oifname != @${BRIDGES} masquerade
    ip6 saddr ::1 ip6 daddr @${SUBNETS6} masquerade
    ip6 saddr @${SUBNETS6} ip6 daddr @${SUBNETS6} ip6 daddr != @${ROUTED6} ct status dnat masquerade
    ip6 saddr @${MASQUERADED6} oifname != @${BRIDGES} masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip saddr . oifname @${REFUSED_LINKS} drop
    ip daddr . iifname @${REFUSED_LINKS} drop
    ip6 saddr . oifname @${REFUSED_LINKS6} drop
    ip6 daddr . iifname @${REFUSED_LINKS6} drop
    # what neighbours of a link say to each other (RFC 4861, RFC 3810) goes no further: a confined container may say it too
    # (between ports of one bridge it passes here too, where br_netfilter is loaded)
    iifname @${BRIDGES} oifname != @${BRIDGES} icmpv6 type { ${OF_A_LINK} } drop
    ct state established,related accept
    iifname . oifname @${PAIRS} accept
    iifname @${INTERNAL} goto stray
    oifname @${INTERNAL} drop
    ct status dnat accept
    iifname @${BRIDGES} oifname @${BRIDGES} goto stray
    # whoever routes to a container by this host comes by its published ports or not at all
    iifname != @${BRIDGES} oifname @${BRIDGES} drop
  }
  ${STRAYS.chain}
  chain input {
    type filter hook input priority filter; policy accept;
    ${egress === undefined ? "" : invalidRules(egress)}
    # questions for names are led to the resolver
    ct status dnat accept
    # an internal network knows one address of the host
    iifname @${INTERNAL} ip daddr != @${GATEWAYS} goto stray
    iifname @${INTERNAL} ip6 daddr != { fe80::/10, ff00::/8 } ip6 daddr != @${GATEWAYS6} goto stray
    # the host, by its address on another network
    iifname @${BRIDGES} ip daddr @${GATEWAYS} iifname . ip daddr != @${OWN_GATEWAYS} goto stray
    iifname @${BRIDGES} ip6 daddr @${GATEWAYS6} iifname . ip6 daddr != @${OWN_GATEWAYS6} goto stray
  }
}
`
}

/**
 * pasta of Debian 12 sends a window as a TCP segment without any flag. Connection tracking calls it invalid and leaves its
 * address as it is, so it would reach this namespace itself, whose RST ends the container's connection.
 */
function invalidRules(egress: string): string {
  return `iifname "${egress}" ct state invalid drop
    iifname "${TAP_PREFIX}*" ct state invalid drop`
}

/** Published ports as changes of the maps: each is in one of its families, asked with the host's address or without. */
export function portChanges(action: "add" | "delete", table: string, ports: readonly PortElement[]): ElementChange[] {
  const isAll = ({ hostAddress }: PortElement): boolean => ["", "0.0.0.0", "::"].includes(hostAddress)
  const change = (set: string, chosen: readonly PortElement[], addressOf: (port: PortElement) => IpAddress) => {
    const elements = chosen.map((port) => {
      const data = fields(ipBytes(addressOf(port)), portField(port.containerPort))
      return { key: portKey(port, isAll(port)), ...(action === "add" ? { data } : {}) }
    })
    return { action, family: "inet" as const, table, set, elements }
  }
  const v4 = ports.filter(({ hostAddress }) => !hostAddress.includes(":"))
  const v6 = ports.filter(
    ({ hostAddress, address6 }) => address6 !== "" && (hostAddress === "" || hostAddress.includes(":")),
  )
  const address6 = (port: PortElement): bigint => parseIpv6(port.address6)
  return [
    change(PORTS, v4.filter(isAll), ({ address }) => address),
    change(
      ADDRESS_PORTS,
      v4.filter((port) => !isAll(port)),
      ({ address }) => address,
    ),
    change(PORTS6, v6.filter(isAll), address6),
    change(
      ADDRESS_PORTS6,
      v6.filter((port) => !isAll(port)),
      address6,
    ),
  ]
}

// a concatenation: each field in network byte order, padded to four bytes
function portKey({ hostAddress, protocol, innerPort }: PortElement, isAll: boolean): Uint8Array {
  const tail = [new Uint8Array([PROTOCOL_NUMBERS[protocol], 0, 0, 0]), portField(innerPort)]
  return isAll ? fields(...tail) : fields(ipBytes(parseIp(hostAddress)), ...tail)
}

/** Key of a network in the set of networks: the bridge's name in sixteen bytes, and the gateway. */
export function networkKey({ bridge, gateway }: BridgeNetwork): Uint8Array {
  return concatBytes([nameField(bridge), ipBytes(parseIpv4(gateway))])
}
