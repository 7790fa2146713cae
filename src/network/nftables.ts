/**
 * The firewall of one store, as text for nft(8) and as elements for netlink. Pure.
 *
 * One table, written once; a container only adds elements to its maps, which costs the same with 1 or 2,000 of them.
 * A `drop` in any chain of the host wins over an `accept` of ours (nftables: each base chain of a hook must accept), so the
 * host's forward policy stays above the published ports.
 */
import { concatBytes } from "../sys/net/netlink.ts"
import type { ElementChange } from "../sys/net/nfnetlink.ts"
import type { Protocol } from "../spec/docker/port-mapping.ts"
import { formatIpv4, parseIpv4, parseMac } from "./ipv4.ts"
import { REFUSED, REFUSED_LINKS, REFUSED_PORTS, refusalTexts, type Refused } from "./refusals.ts"
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

/** What the rules know of a network. */
export interface BridgeNetwork {
  bridge: string
  subnet: string
  gateway: string
}

/** Map of ports that are published on every address. */
export const PORTS = "portmap"
/** Map of ports that are published on one address. */
export const ADDRESS_PORTS = "portmap_ip"
const BRIDGES = "netifs"
/** Networks that a table is whole for: looked into by each command, matched by no rule. Another name makes all tables be written anew. */
export const NETWORKS = "networks_2"
/** Stands among them where the kernel has no tables of family bridge. */
export const UNGUARDED: BridgeNetwork = { bridge: "unguarded", subnet: "0.0.0.0/32", gateway: "0.0.0.0" }
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

/** Says that the tables are whole for these networks: the last step, after a look whether they still say what the records do. */
export function networkMarks(
  table: string,
  networks: readonly BridgeNetwork[],
  { isGuarded }: { isGuarded: boolean },
): ElementChange[] {
  const mark = (family: "inet" | "bridge", marked: readonly BridgeNetwork[]): ElementChange => ({
    action: "add",
    family,
    table,
    set: NETWORKS,
    elements: marked.map((network) => ({ key: networkKey(network) })),
  })
  return isGuarded ? [mark("inet", networks), mark("bridge", networks)] : [mark("inet", [...networks, UNGUARDED])]
}

/**
 * The guard of the bridges, with all its elements but the marks of networks: a container sends, and answers questions for hardware addresses, with its own
 * addresses alone. Otherwise one with CAP_NET_RAW could take the traffic of its neighbours, or of the gateway. A table of its own,
 * since what goes from one port of a bridge to another is not routed. What is neither IPv4 nor ARP goes nowhere.
 */
export function guardText(
  { table, port }: { table: string; port: string },
  sources: readonly (Source & Refused)[],
): string {
  const known = sources.filter(hasPlaceOnBridge)
  const refused = refusalTexts(sources)
  return `table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  set ${NETWORKS} { type ifname . ipv4_addr; }
  set ${SOURCES} {
    type ifname . ether_addr . ipv4_addr; ${elements(known.map((source) => `"${source.hostInterface}" . ${source.macAddress} . ${formatIpv4(source.address)}`))}
  }
  # where some may not send
  set ${REFUSED} { type ipv4_addr . ipv4_addr; flags interval; ${elements(refused.ranges)} }
  set ${REFUSED_PORTS} {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval; ${elements(refused.ports)}
  }
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname != "${port}*" accept
    ip saddr . ip daddr @${REFUSED} drop
    ip saddr . ip daddr . ip protocol . th dport @${REFUSED_PORTS} drop
    iifname . ether saddr . ip saddr @${SOURCES} accept
    iifname . ether saddr . arp saddr ip @${SOURCES} iifname . arp saddr ether . arp saddr ip @${SOURCES} accept
    drop
  }
}
`
}

/** The same as changes of its set. */
export function sourceChanges(action: "add" | "delete", table: string, sources: readonly Source[]): ElementChange[] {
  const known = sources.filter(hasPlaceOnBridge)
  return known.length === 0
    ? []
    : [{ action, family: "bridge", table, set: SOURCES, elements: known.map((source) => ({ key: sourceKey(source) })) }]
}

function sourceKey({ hostInterface, macAddress, address }: Source): Uint8Array {
  return concatBytes([nameField(hostInterface), fields(parseMac(macAddress), new Uint8Array(2), addressField(address))])
}

/**
 * The whole table with all its elements but the marks of networks: replaces what is there in one transaction. `egress`: pasta's
 * interface.
 */
export function tableText(
  table: string,
  networks: readonly BridgeNetwork[],
  { ports, endpoints }: { ports: readonly PortElement[]; endpoints: readonly Refused[] },
  egress?: string,
): string {
  const bridges = networks.map(({ bridge }) => `"${bridge}"`)
  const all = ports.filter((port) => port.hostAddress === "")
  const one = ports.filter((port) => port.hostAddress !== "")
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  set ${NETWORKS} { type ifname . ipv4_addr; }
  # bridges of ours; which may talk to which (each to itself); their ranges
  set ${BRIDGES} { type ifname; ${elements(bridges)} }
  set netpairs { type ifname . ifname; ${elements(bridges.map((name) => `${name} . ${name}`))} }
  set subnets { type ipv4_addr; flags interval; ${elements(networks.map(({ subnet }) => subnet))} }
  # cards of the host by which some may neither send nor be reached
  set ${REFUSED_LINKS} { type ipv4_addr . ifname; ${elements(refusalTexts(endpoints).links)} }
  # published ports: of all addresses, of one address
  map ${PORTS} {
    type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(all.map((port) => `${port.protocol} . ${port.innerPort} : ${target(port)}`))}
  }
  map ${ADDRESS_PORTS} {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${elements(one.map((port) => `${port.hostAddress} . ${port.protocol} . ${port.innerPort} : ${target(port)}`))}
  }
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
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    # the host by 127.0.0.1: the container could not answer that address
    ip saddr 127.0.0.0/8 ip daddr @subnets masquerade
    # a container by a published port: the answer must come back this way
    ip saddr @subnets ip daddr @subnets ct status dnat masquerade
    ip saddr @subnets oifname != @${BRIDGES} masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ip saddr . oifname @${REFUSED_LINKS} drop
    ip daddr . iifname @${REFUSED_LINKS} drop
    ct state established,related accept
    iifname . oifname @netpairs accept
    ct status dnat accept
    iifname @${BRIDGES} oifname @${BRIDGES} drop
    iifname != @${BRIDGES} oifname @${BRIDGES} drop
  }
  ${egress === undefined ? "" : invalidChain(egress)}
}
`
}

/**
 * pasta of Debian 12 sends a window as a TCP segment without any flag. Connection tracking calls it invalid and leaves its
 * address as it is, so it would reach this namespace itself, whose RST ends the container's connection.
 */
function invalidChain(egress: string): string {
  return `chain input {
    type filter hook input priority filter; policy accept;
    iifname "${egress}" ct state invalid drop
    iifname "${TAP_PREFIX}*" ct state invalid drop
  }`
}

function elements(words: readonly string[]): string {
  return words.length === 0 ? "" : `elements = { ${words.join(", ")} }`
}

function target(port: PortElement): string {
  return `${formatIpv4(port.address)} . ${port.containerPort}`
}

/** The same ports as changes of the maps. */
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
