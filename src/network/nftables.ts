/**
 * The firewall of one store, as text for nft(8) and as elements for netlink. Pure.
 *
 * Two tables, written once and without elements. Networks, containers and ports are elements of their sets and maps, by netlink: one more
 * costs the same with 1 or 2,000 of them, and a packet meets the same few rules.
 * A `drop` in any chain of the host wins over an `accept` of ours (nftables: each base chain of a hook must accept), so the
 * host's forward policy stays above the published ports.
 */
import { concatBytes } from "../sys/net/netlink.ts"
import type { ElementChange } from "../sys/net/nfnetlink.ts"
import type { Protocol } from "../spec/docker/port-mapping.ts"
import { RESOLVER_RULE, RESOLVER_SETS } from "./dns/redirect.ts"
import { parseIpv4, parseMac } from "./ipv4.ts"
import {
  APART,
  BRIDGE_MACS,
  BRIDGES,
  GATEWAYS,
  GATEWAYS6,
  INTERNAL,
  MASQUERADED,
  OWN_GATEWAYS,
  OWN_GATEWAYS6,
  PAIRS,
  SUBNETS,
} from "./network-elements.ts"
import { REFUSED, REFUSED_LINKS, REFUSED_PORTS } from "./refusals.ts"
import { addressField, fields, nameField, portField, PROTOCOL_NUMBERS } from "./set-fields.ts"

/** A port of the host that goes to a container. */
export interface PublishedPort {
  protocol: Protocol
  hostPort: number
  /** Empty: all addresses. */
  hostAddress: string
  address: number
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
/** Networks that a table is whole for: looked into by each command, matched by no rule. Another name makes all tables be written anew. */
export const NETWORKS = "networks_3"
/** Stands among them once all is there that was on record when the tables were written: what comes later adds its own. */
export const WHOLE: BridgeNetwork = { bridge: "whole", gateway: "0.0.0.0" }
/** Stands among them where the kernel has no tables of family bridge. */
export const UNGUARDED: BridgeNetwork = { bridge: "unguarded", gateway: "0.0.0.0" }
const SOURCES = "sources"
/** What the interfaces begin with by which the published ports of an ordinary user arrive: one pasta each. */
export const TAP_PREFIX = "pub"

/** What an endpoint may send: from its interface, with its addresses. */
export interface Source {
  hostInterface: string
  /** `02:42:ac:11:00:02`; empty for one made before there was a guard. */
  macAddress: string
  address: number
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
 * a bridge to another is not routed. What is neither IPv4 nor ARP goes nowhere.
 */
export function guardText({ table, port }: { table: string; port: string }): string {
  return `table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  set ${NETWORKS} { type ifname . ipv4_addr; }
  set ${SOURCES} { type ifname . ether_addr . ipv4_addr; }
  # where some may not send
  set ${REFUSED} { type ipv4_addr . ipv4_addr; flags interval; }
  set ${REFUSED_PORTS} { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval; }
  # whose neighbours are not for them: they send to the host alone
  set ${APART} { type ifname; }
  set ${BRIDGE_MACS} { type ether_addr; }
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname != "${port}*" accept
    iifname @${APART} jump apart
    ip saddr . ip daddr @${REFUSED} drop
    ip saddr . ip daddr . ip protocol . th dport @${REFUSED_PORTS} drop
    iifname . ether saddr . ip saddr @${SOURCES} accept
    iifname . ether saddr . arp saddr ip @${SOURCES} iifname . arp saddr ether . arp saddr ip @${SOURCES} accept
    drop
  }
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
  return known.length === 0
    ? []
    : [{ action, family: "bridge", table, set: SOURCES, elements: known.map((source) => ({ key: sourceKey(source) })) }]
}

function sourceKey({ hostInterface, macAddress, address }: Source): Uint8Array {
  return concatBytes([nameField(hostInterface), fields(parseMac(macAddress), new Uint8Array(2), addressField(address))])
}

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
  # the host's own addresses on them, and on which each is
  set ${GATEWAYS} { type ipv4_addr; }
  set ${OWN_GATEWAYS} { type ifname . ipv4_addr; }
  set ${GATEWAYS6} { type ipv6_addr; }
  set ${OWN_GATEWAYS6} { type ifname . ipv6_addr; }
  # cards of the host by which some may neither send nor be reached
  set ${REFUSED_LINKS} { type ipv4_addr . ifname; }
  ${RESOLVER_SETS}
  # published ports: of all addresses, of one address
  map ${PORTS} { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map ${ADDRESS_PORTS} { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    # a neighbour on the link must not reach what is published on 127.0.0.1 (CVE-2020-8558)
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @${ADDRESS_PORTS}
    dnat ip to meta l4proto . th dport map @${PORTS}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    # before published ports: who publishes 53 is not asked for his neighbours' names
    ${RESOLVER_RULE}
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    # the host by 127.0.0.1: the container could not answer that address
    ip saddr 127.0.0.0/8 ip daddr @${SUBNETS} masquerade
    # a container by a published port: the answer must come back this way
    ip saddr @${SUBNETS} ip daddr @${SUBNETS} ct status dnat masquerade
    ip saddr @${MASQUERADED} oifname != @${BRIDGES} masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip saddr . oifname @${REFUSED_LINKS} drop
    ip daddr . iifname @${REFUSED_LINKS} drop
    ct state established,related accept
    iifname . oifname @${PAIRS} accept
    iifname @${INTERNAL} drop
    oifname @${INTERNAL} drop
    ct status dnat accept
    iifname @${BRIDGES} oifname @${BRIDGES} drop
    # whoever routes to a container by this host comes by its published ports or not at all
    iifname != @${BRIDGES} oifname @${BRIDGES} drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ${egress === undefined ? "" : invalidRules(egress)}
    # the host, by its address on another network
    iifname @${BRIDGES} ip daddr @${GATEWAYS} iifname . ip daddr != @${OWN_GATEWAYS} drop
    iifname @${BRIDGES} ip6 daddr @${GATEWAYS6} iifname . ip6 daddr != @${OWN_GATEWAYS6} drop
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

/** Published ports as changes of the maps. */
export function portChanges(action: "add" | "delete", table: string, ports: readonly PortElement[]): ElementChange[] {
  const all = ports.filter((port) => port.hostAddress === "")
  const one = ports.filter((port) => port.hostAddress !== "")
  const element = (port: PortElement): { key: Uint8Array; data?: Uint8Array } => ({
    key: portKey(port),
    data: action === "add" ? fields(addressField(port.address), portField(port.containerPort)) : undefined,
  })
  return [
    { action, family: "inet", table, set: PORTS, elements: all.map(element) },
    { action, family: "inet", table, set: ADDRESS_PORTS, elements: one.map(element) },
  ]
}

// a concatenation: each field in network byte order, padded to four bytes
function portKey({ hostAddress, protocol, innerPort }: PortElement): Uint8Array {
  const tail = [new Uint8Array([PROTOCOL_NUMBERS[protocol], 0, 0, 0]), portField(innerPort)]
  return hostAddress === "" ? fields(...tail) : fields(addressField(parseIpv4(hostAddress)), ...tail)
}

/** Key of a network in the set of networks: the bridge's name in sixteen bytes, and the gateway. */
export function networkKey({ bridge, gateway }: BridgeNetwork): Uint8Array {
  return concatBytes([nameField(bridge), addressField(parseIpv4(gateway))])
}
