/** Links, addresses and routes (rtnetlink(7)). An address is a number of 32 bits (IPv4) or a bigint of 128 (IPv6). */
import { kernelHasIpv6 } from "./has-ipv6.ts"
import { ipBytes, type IpAddress } from "./ip-bytes.ts"
import {
  attribute,
  concatBytes,
  nested,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  parseAttributes,
  textAttribute,
  u16Attribute,
  u32Attribute,
  u8Attribute,
  type NetlinkMessage,
  type NetlinkSocket,
} from "./netlink.ts"

const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_NEWROUTE = 24
const RTM_GETROUTE = 26
const RTM_NEWRULE = 32
const RTM_DELRULE = 33

const AF_UNSPEC = 0
const AF_INET = 2
const AF_INET6 = 10
const IFF_UP = 1

const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_LINKINFO = 18
const IFLA_IFALIAS = 20
const IFLA_STATS64 = 23
const IFLA_AF_SPEC = 26
const IFLA_NET_NS_FD = 28
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_INFO_SLAVE_KIND = 4
const IFLA_INFO_SLAVE_DATA = 5
const VETH_INFO_PEER = 1
const IFLA_VLAN_ID = 1
const IFLA_MACVLAN_MODE = 1
const IFLA_IPVLAN_MODE = 1
const IFLA_IPVLAN_FLAGS = 2
const IFLA_BRPORT_MODE = 4
const IFLA_INET6_ADDR_GEN_MODE = 8
const IN6_ADDR_GEN_MODE_NONE = 1

const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_BROADCAST = 4
const IFA_F_NODAD = 0x02

const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RTA_TABLE = 15
const RTPROT_BOOT = 3
const RTPROT_STATIC = 4
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RTN_UNICAST = 1
const RTN_LOCAL = 2
const RT_TABLE_MAIN = 254
const RT_TABLE_LOCAL = 255
const RT_TABLE_UNSPEC = 0

const FRA_FWMARK = 10
const FRA_SRC = 2
const FRA_PRIORITY = 6
const FRA_SUPPRESS_PREFIXLEN = 14
const FRA_TABLE = 15
const FR_ACT_TO_TBL = 1

/** A network interface. */
export interface Link {
  index: number
  name: string
  up: boolean
  mtu: number
  /** Index of the bridge it is a port of; 0: none. */
  master: number
  macAddress: Uint8Array
  /** What its maker wrote on it; at most 255 bytes. */
  alias: string
  /** Index of its other end, of a veth, or of what it stands on; 0: none. In the namespace where that is. */
  peer: number
}

/** An address with its prefix; the address is a 32-bit number. */
export interface Ipv4Range {
  address: number
  prefixLength: number
}

/** A route, as far as the choice of a free subnet needs it. */
export interface Ipv4Route extends Ipv4Range {
  interfaceIndex: number
  hasGateway: boolean
  table: number
}

/** struct ifinfomsg. */
function linkHeader(index = 0, flags = 0, mask = flags): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  bytes[0] = AF_UNSPEC
  view.setInt32(4, index, true)
  view.setUint32(8, flags, true)
  view.setUint32(12, mask, true)
  return bytes
}

/** What a bridge is made with. */
export interface BridgeOptions {
  macAddress: Uint8Array
  mtu: number
  alias: string
}

/** Makes a bridge, down. Throws EEXIST, and then leaves what is there as it is: it may be somebody else's. */
export function createBridge(socket: NetlinkSocket, name: string, options: BridgeOptions): void {
  const body = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, name),
    attribute(IFLA_ADDRESS, options.macAddress),
    nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, "bridge")),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  socket.request([{ type: RTM_NEWLINK, flags, body, about: `make bridge "${name}"` }])
  markBridge(socket, name, options)
}

/** Its second half, which is wanting where its maker was killed. Safe to repeat. */
export function markBridge(socket: NetlinkSocket, name: string, { alias, mtu }: BridgeOptions): void {
  // an alias given at creation is passed over in silence, and an MTU is lost when the last port goes
  const body = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, name),
    textAttribute(IFLA_IFALIAS, alias),
    u32Attribute(IFLA_MTU, mtu),
  ])
  socket.request([{ type: RTM_NEWLINK, flags: NLM_F_ACK, body, about: `write on bridge "${name}" whose it is` }])
}

/** Both ends of a veth pair. */
export interface VethOptions {
  /** The end that stays in the socket's namespace, up and a port of `bridge`. */
  name: string
  bridge: number
  mtu: number
  alias: string
  peer: { name: string; macAddress: Uint8Array; netns: number }
}

/**
 * Makes the pair in one message, its peer already inside the other namespace: nothing has to be moved or cleaned up when
 * we die here. The port may send a packet back where it came from (hairpin), for a container that calls its own port.
 */
export function createVeth(socket: NetlinkSocket, options: VethOptions): void {
  const { name, bridge, mtu, alias, peer } = options
  const peerBody = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, peer.name),
    attribute(IFLA_ADDRESS, peer.macAddress),
    u32Attribute(IFLA_MTU, mtu),
    u32Attribute(IFLA_NET_NS_FD, peer.netns),
  ])
  const body = concatBytes([
    linkHeader(0, IFF_UP),
    textAttribute(IFLA_IFNAME, name),
    u32Attribute(IFLA_MTU, mtu),
    u32Attribute(IFLA_MASTER, bridge),
    nested(
      IFLA_LINKINFO,
      textAttribute(IFLA_INFO_KIND, "veth"),
      nested(IFLA_INFO_DATA, nested(VETH_INFO_PEER, peerBody)),
    ),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  socket.request([{ type: RTM_NEWLINK, flags, body, about: `make interface "${name}"` }, portSettings(name, alias)])
}

/** Makes a pair on no bridge, its own end up, the peer inside another namespace. Throws EEXIST. */
export function createPair(
  socket: NetlinkSocket,
  { name, mtu, peer }: { name: string; mtu: number; peer: { name: string; netns: number } },
): void {
  const peerBody = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, peer.name),
    u32Attribute(IFLA_MTU, mtu),
    u32Attribute(IFLA_NET_NS_FD, peer.netns),
  ])
  const kind = textAttribute(IFLA_INFO_KIND, "veth")
  const body = concatBytes([
    linkHeader(0, IFF_UP),
    textAttribute(IFLA_IFNAME, name),
    u32Attribute(IFLA_MTU, mtu),
    nested(IFLA_LINKINFO, kind, nested(IFLA_INFO_DATA, nested(VETH_INFO_PEER, peerBody))),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  socket.request([{ type: RTM_NEWLINK, flags, body, about: `make interface "${name}"` }])
}

/** Writes on an interface whose it is. */
export function setAlias(socket: NetlinkSocket, name: string, alias: string): void {
  const body = concatBytes([linkHeader(), textAttribute(IFLA_IFNAME, name), textAttribute(IFLA_IFALIAS, alias)])
  socket.request([{ type: RTM_NEWLINK, flags: NLM_F_ACK, body, about: `write on "${name}" whose it is` }])
}

/** An interface on top of another one. */
export interface ChildLinkOptions {
  name: string
  /** Index of the interface below, in the socket's namespace. */
  parent: number
  kind: ChildLinkKind
  mtu?: number
  macAddress?: Uint8Array
  /** An open descriptor of the namespace that it appears in; default: the socket's. */
  netns?: number
}

/** Its kind, with the kernel's own numbers (linux/if_link.h). */
export type ChildLinkKind =
  { kind: "macvlan"; mode: number } | { kind: "ipvlan"; mode: number; flags: number } | { kind: "vlan"; id: number }

/** Makes it, down. Throws EEXIST, EBUSY where the parent is used otherwise, ENOTSUP where the kernel does not know the kind. */
export function createChildLink(socket: NetlinkSocket, options: ChildLinkOptions): void {
  const { name, parent, kind, mtu, macAddress, netns } = options
  const body = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, name),
    u32Attribute(IFLA_LINK, parent),
    ...(mtu === undefined ? [] : [u32Attribute(IFLA_MTU, mtu)]),
    ...(macAddress === undefined ? [] : [attribute(IFLA_ADDRESS, macAddress)]),
    ...(netns === undefined ? [] : [u32Attribute(IFLA_NET_NS_FD, netns)]),
    nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, kind.kind), nested(IFLA_INFO_DATA, ...childData(kind))),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  socket.request([{ type: RTM_NEWLINK, flags, body, about: `make ${kind.kind} interface "${name}"` }])
}

function childData(kind: ChildLinkKind): Uint8Array[] {
  switch (kind.kind) {
    case "macvlan":
      return [u32Attribute(IFLA_MACVLAN_MODE, kind.mode)]
    case "ipvlan":
      return [u16Attribute(IFLA_IPVLAN_MODE, kind.mode), u16Attribute(IFLA_IPVLAN_FLAGS, kind.flags)]
    case "vlan":
      return [u16Attribute(IFLA_VLAN_ID, kind.id)]
  }
}

/**
 * The settings of a port, which the kernel takes only once it is one: hairpin, and no IPv6 address of its own (its peer is
 * still down, so it has none yet).
 */
function portSettings(name: string, alias?: string): NetlinkMessage {
  const body = concatBytes([
    linkHeader(),
    textAttribute(IFLA_IFNAME, name),
    // given at creation it would be passed over in silence
    ...(alias === undefined ? [] : [textAttribute(IFLA_IFALIAS, alias)]),
    nested(
      IFLA_LINKINFO,
      textAttribute(IFLA_INFO_SLAVE_KIND, "bridge"),
      nested(IFLA_INFO_SLAVE_DATA, u8Attribute(IFLA_BRPORT_MODE, 1)),
    ),
    // a kernel without IPv6 refuses the whole message for it
    ...(kernelHasIpv6()
      ? [nested(IFLA_AF_SPEC, nested(AF_INET6, u8Attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)))]
      : []),
  ])
  return { type: RTM_NEWLINK, flags: NLM_F_ACK, body, about: `set up port "${name}"` }
}

/** Makes an existing interface a port of the bridge again, after that was made anew. */
export function attachToBridge(socket: NetlinkSocket, name: string, bridge: number): void {
  const body = concatBytes([linkHeader(), textAttribute(IFLA_IFNAME, name), u32Attribute(IFLA_MASTER, bridge)])
  socket.request([
    { type: RTM_NEWLINK, flags: NLM_F_ACK, body, about: `put "${name}" on its bridge` },
    portSettings(name),
  ])
}

/** The message that brings a link up. */
export function linkUp(index: number, about: string): NetlinkMessage {
  return { type: RTM_NEWLINK, flags: NLM_F_ACK, body: linkHeader(index, IFF_UP), about: `bring up "${about}"` }
}

/** The message that sets the MTU of a link. */
export function setMtu(index: number, about: string, mtu: number): NetlinkMessage {
  const body = concatBytes([linkHeader(index), u32Attribute(IFLA_MTU, mtu)])
  return { type: RTM_NEWLINK, flags: NLM_F_ACK, body, about: `set the MTU of "${about}"` }
}

/** Deletes a link; blocks for some 15 ms, so not for a veth whose namespace is about to go. */
export function deleteLink(socket: NetlinkSocket, name: string): void {
  const body = concatBytes([linkHeader(), textAttribute(IFLA_IFNAME, name)])
  socket.request([{ type: RTM_DELLINK, flags: NLM_F_ACK, body, about: `delete interface "${name}"` }])
}

/**
 * The message that gives an address to a link. EEXIST: it has it; of an IPv6 one EACCES: the link may not have any. An IPv6 address is of
 * use at once: we are the ones who give addresses out, so nobody is asked for a second and more whether he has it (RFC 4862).
 */
export function addAddress(index: number, name: string, address: IpAddress, prefixLength: number): NetlinkMessage {
  const header = new Uint8Array(8)
  header.set([familyOf(address), prefixLength, typeof address === "number" ? 0 : IFA_F_NODAD, scopeOf(address)])
  new DataView(header.buffer).setUint32(4, index, true)
  const bytes = ipBytes(address)
  const body = concatBytes([
    header,
    attribute(IFA_LOCAL, bytes),
    attribute(IFA_ADDRESS, bytes),
    ...(typeof address === "number" ? [attribute(IFA_BROADCAST, broadcastBytes(address, prefixLength))] : []),
  ])
  return { type: RTM_NEWADDR, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about: `give "${name}" its address` }
}

function broadcastBytes(address: number, prefixLength: number): Uint8Array {
  return ipBytes((address | (prefixLength === 32 ? 0 : 0xffffffff >>> prefixLength)) >>> 0)
}

/** fe80::/10 does not leave its link. */
function scopeOf(address: IpAddress): number {
  return typeof address === "bigint" && address >> 118n === 0x3fan ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
}

/** The message that makes the default route, by a gateway or (without one, for the family that is named) straight out of the link. */
export function addDefaultRoute(
  index: number,
  name: string,
  route: { gateway: IpAddress; table?: number } | { family: "IPv4" | "IPv6"; table?: number },
): NetlinkMessage {
  const table = route.table ?? RT_TABLE_MAIN
  const gateway = "gateway" in route ? route.gateway : undefined
  const family = "gateway" in route ? familyOf(route.gateway) : route.family === "IPv4" ? AF_INET : AF_INET6
  const scope = gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
  const shortTable = table > 255 ? RT_TABLE_UNSPEC : table
  const protocol = route.table === undefined ? RTPROT_BOOT : RTPROT_STATIC
  // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags
  const header = new Uint8Array([family, 0, 0, 0, shortTable, protocol, scope, RTN_UNICAST, 0, 0, 0, 0])
  const body = concatBytes([
    header,
    u32Attribute(RTA_OIF, index),
    u32Attribute(RTA_TABLE, table),
    ...(gateway === undefined ? [] : [attribute(RTA_GATEWAY, ipBytes(gateway))]),
  ])
  const about = `make the default route by "${name}"`
  return { type: RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about }
}

/** A way to a range by a neighbour, or without one straight by the interface. */
export interface GatewayRoute {
  destination: { address: IpAddress; prefixLength: number }
  gateway?: IpAddress
  /** Of two ways the one with the lower number is taken. */
  metric?: number | undefined
}

/** The message that makes the route, in the place of one that is there. */
export function addRoute(index: number, name: string, { destination, gateway, metric }: GatewayRoute): NetlinkMessage {
  const { address, prefixLength } = destination
  const lengths = [familyOf(address), prefixLength, 0, 0]
  const scope = gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
  const header = new Uint8Array([...lengths, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, 0, 0, 0, 0])
  const body = concatBytes([
    header,
    attribute(RTA_DST, ipBytes(address)),
    u32Attribute(RTA_OIF, index),
    ...(gateway === undefined ? [] : [attribute(RTA_GATEWAY, ipBytes(gateway))]),
    ...(metric === undefined ? [] : [u32Attribute(RTA_PRIORITY, metric)]),
  ])
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
    body,
    about: `make a route by "${name}"`,
  }
}

/** The same in the place of the default route that is there. */
export function replaceDefaultRoute(index: number, name: string, route: { gateway: IpAddress }): NetlinkMessage {
  return { ...addDefaultRoute(index, name, route), flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE }
}

/**
 * The message by which ::1 is an address of this host by that link too: IPv6 looks for the loopback only among the routes of the link by
 * which a packet came, and after address translation that is not `lo`. What comes with ::1 from a wire is dropped before it.
 */
export function addLoopbackRoute(index: number, name: string): NetlinkMessage {
  const header = new Uint8Array([AF_INET6, 128, 0, 0, RT_TABLE_LOCAL, RTPROT_STATIC, 0, RTN_LOCAL, 0, 0, 0, 0])
  const body = concatBytes([
    header,
    attribute(RTA_DST, ipBytes(1n)),
    u32Attribute(RTA_OIF, index),
    // after that of `lo`, which has 0
    u32Attribute(RTA_PRIORITY, 2048),
  ])
  return { type: RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about: `lead ::1 to "${name}"` }
}

/** A rule of the routing policy: packets from `source` look into `table`. */
export interface SourceRule {
  priority: number
  source: IpAddress
  table: number
}

/** The message that adds the rule (`ip rule add from`). */
export function addSourceRule({ priority, source, table }: SourceRule): NetlinkMessage {
  const attributes = [
    u32Attribute(FRA_PRIORITY, priority),
    attribute(FRA_SRC, ipBytes(source)),
    u32Attribute(FRA_TABLE, table),
  ]
  const body = concatBytes([sourceRuleHeader(source), ...attributes])
  const about = `add the routing rule to table ${table}`
  return { type: RTM_NEWRULE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about }
}

/** The message that deletes one rule of that priority and source, whatever its table. ENOENT: there is none. */
export function deleteSourceRule({ priority, source }: Omit<SourceRule, "table">): NetlinkMessage {
  const attributes = [u32Attribute(FRA_PRIORITY, priority), attribute(FRA_SRC, ipBytes(source))]
  const body = concatBytes([sourceRuleHeader(source), ...attributes])
  return { type: RTM_DELRULE, flags: NLM_F_ACK, body, about: `delete a routing rule of priority ${priority}` }
}

/** The message that adds a rule of IPv4: packets with that mark look into `table`. */
export function addMarkRule({
  priority,
  mark,
  table,
}: {
  priority: number
  mark: number
  table: number
}): NetlinkMessage {
  const attributes = [
    u32Attribute(FRA_PRIORITY, priority),
    u32Attribute(FRA_FWMARK, mark),
    u32Attribute(FRA_TABLE, table),
  ]
  const body = concatBytes([ruleHeader(AF_INET, 0), ...attributes])
  const about = `add the routing rule of mark ${mark}`
  return { type: RTM_NEWRULE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about }
}

/** The message that deletes it. ENOENT: there is none. */
export function deleteMarkRule({ priority, mark }: { priority: number; mark: number }): NetlinkMessage {
  const attributes = [u32Attribute(FRA_PRIORITY, priority), u32Attribute(FRA_FWMARK, mark)]
  const body = concatBytes([ruleHeader(AF_INET, 0), ...attributes])
  return { type: RTM_DELRULE, flags: NLM_F_ACK, body, about: `delete the routing rule of mark ${mark}` }
}

/** The message for `ip rule add lookup main suppress_prefixlength 0`: all known ways come before any default route. */
export function addKnownWaysRule(priority: number, family: "IPv4" | "IPv6"): NetlinkMessage {
  const attributes = [
    u32Attribute(FRA_PRIORITY, priority),
    u32Attribute(FRA_TABLE, RT_TABLE_MAIN),
    u32Attribute(FRA_SUPPRESS_PREFIXLEN, 0),
  ]
  const body = concatBytes([ruleHeader(family === "IPv4" ? AF_INET : AF_INET6, 0), ...attributes])
  return { type: RTM_NEWRULE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, about: "add the rule of known ways" }
}

function sourceRuleHeader(source: IpAddress): Uint8Array {
  return ruleHeader(familyOf(source), ipBytes(source).length * 8)
}

/** struct fib_rule_hdr: family, dst_len, src_len, tos, table, res1, res2, action, flags. */
function ruleHeader(family: number, sourceLength: number): Uint8Array {
  return new Uint8Array([family, 0, sourceLength, 0, RT_TABLE_UNSPEC, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0])
}

/** The link of that name. Throws ENODEV. */
export function getLink(socket: NetlinkSocket, name: string): Link {
  const body = concatBytes([linkHeader(), textAttribute(IFLA_IFNAME, name)])
  const [answer] = socket.request([{ type: RTM_GETLINK, flags: NLM_F_ACK, body, about: `find interface "${name}"` }])
  if (answer === undefined) throw new Error(`the kernel gave no answer about interface "${name}"`)
  return parseLink(answer.body)
}

/** Bytes that the link of that name has carried. Throws ENODEV. */
export function linkTraffic(socket: NetlinkSocket, name: string): { receivedBytes: number; sentBytes: number } {
  const body = concatBytes([linkHeader(), textAttribute(IFLA_IFNAME, name)])
  const [answer] = socket.request([{ type: RTM_GETLINK, flags: NLM_F_ACK, body, about: `read interface "${name}"` }])
  const stats = answer && parseAttributes(answer.body.subarray(16)).get(IFLA_STATS64)
  if (stats === undefined) throw new Error(`the kernel did not count what interface "${name}" carried`)
  // struct rtnl_link_stats64: packets received and sent, then bytes
  const view = new DataView(stats.buffer, stats.byteOffset, stats.byteLength)
  return { receivedBytes: Number(view.getBigUint64(16, true)), sentBytes: Number(view.getBigUint64(24, true)) }
}

/** The link of that index; undefined when there is none. */
export function findLink(socket: NetlinkSocket, index: number): Link | undefined {
  const message = { type: RTM_GETLINK, flags: NLM_F_ACK, body: linkHeader(index), about: `find interface ${index}` }
  try {
    const [answer] = socket.request([message])
    return answer === undefined ? undefined : parseLink(answer.body)
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENODEV") return undefined
    throw error
  }
}

/** Whether there is a link of that name. */
export function hasLink(socket: NetlinkSocket, name: string): boolean {
  try {
    return getLink(socket, name).name === name
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENODEV") return false
    throw error
  }
}

/** All interfaces of the socket's namespace. */
export function listLinks(socket: NetlinkSocket): Link[] {
  const message = { type: RTM_GETLINK, flags: NLM_F_DUMP, body: linkHeader(), about: "list interfaces" }
  return socket.request([message]).map((answer) => parseLink(answer.body))
}

function parseLink(body: Uint8Array): Link {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const attributes = parseAttributes(body.subarray(16))
  return {
    index: view.getInt32(4, true),
    name: textOf(attributes.get(IFLA_IFNAME)),
    alias: textOf(attributes.get(IFLA_IFALIAS)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
    mtu: u32Of(attributes.get(IFLA_MTU)) ?? 1500,
    master: u32Of(attributes.get(IFLA_MASTER)) ?? 0,
    peer: u32Of(attributes.get(IFLA_LINK)) ?? 0,
    macAddress: attributes.get(IFLA_ADDRESS) ?? new Uint8Array(6),
  }
}

/** Addresses of all interfaces, with the range each stands in. */
export function listAddresses(socket: NetlinkSocket): (Ipv4Range & { interfaceIndex: number })[] {
  const header = new Uint8Array(8)
  header[0] = AF_INET
  const answers = socket.request([{ type: RTM_GETADDR, flags: NLM_F_DUMP, body: header, about: "list addresses" }])
  return answers.map(({ body }) => {
    const attributes = parseAttributes(body.subarray(8))
    const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
    const interfaceIndex = new DataView(body.buffer, body.byteOffset).getUint32(4, true)
    return { address: ipv4Number(address), prefixLength: body[1] ?? 32, interfaceIndex }
  })
}

/** The same of both families, as their bytes. */
export function listIpBytes(
  socket: NetlinkSocket,
): { bytes: Uint8Array; prefixLength: number; interfaceIndex: number }[] {
  const header = new Uint8Array(8)
  const answers = socket.request([{ type: RTM_GETADDR, flags: NLM_F_DUMP, body: header, about: "list addresses" }])
  return answers.flatMap(({ body }) => {
    const attributes = parseAttributes(body.subarray(8))
    const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)
    const interfaceIndex = new DataView(body.buffer, body.byteOffset).getUint32(4, true)
    return bytes === undefined ? [] : [{ bytes, prefixLength: body[1] ?? 0, interfaceIndex }]
  })
}

/** All IPv4 routes but those of the local table. */
export function listRoutes(socket: NetlinkSocket): Ipv4Route[] {
  const header = new Uint8Array(12)
  header[0] = AF_INET
  const answers = socket.request([{ type: RTM_GETROUTE, flags: NLM_F_DUMP, body: header, about: "list routes" }])
  return answers.flatMap(({ body }) => {
    const attributes = parseAttributes(body.subarray(12))
    if (body[7] !== RTN_UNICAST) return []
    return {
      address: ipv4Number(attributes.get(RTA_DST)),
      prefixLength: body[1] ?? 0,
      interfaceIndex: u32Of(attributes.get(RTA_OIF)) ?? 0,
      hasGateway: attributes.has(RTA_GATEWAY),
      table: u32Of(attributes.get(RTA_TABLE)) ?? body[4] ?? RT_TABLE_MAIN,
    }
  })
}

/** Where IPv6 routes of the main table lead, as bytes: empty for the default route. */
export function listRoutes6(
  socket: NetlinkSocket,
): { bytes: Uint8Array; prefixLength: number; interfaceIndex: number }[] {
  const header = new Uint8Array(12)
  header[0] = AF_INET6
  const answers = socket.request([{ type: RTM_GETROUTE, flags: NLM_F_DUMP, body: header, about: "list IPv6 routes" }])
  return answers.flatMap(({ body }) => {
    const attributes = parseAttributes(body.subarray(12))
    const table = u32Of(attributes.get(RTA_TABLE)) ?? body[4]
    if (body[7] !== RTN_UNICAST || table !== RT_TABLE_MAIN) return []
    const bytes = attributes.get(RTA_DST) ?? new Uint8Array()
    return { bytes, prefixLength: body[1] ?? 0, interfaceIndex: u32Of(attributes.get(RTA_OIF)) ?? 0 }
  })
}

function textOf(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString().replace(/\0+$/, "")
}

function u32Of(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

function familyOf(address: IpAddress): number {
  return typeof address === "number" ? AF_INET : AF_INET6
}

function ipv4Number(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, false)
}

/** Makes an intermediate functional block, up: what is led to it passes its sending queue, and comes back. Throws EEXIST. */
export function createIfb(socket: NetlinkSocket, name: string): void {
  const body = concatBytes([
    linkHeader(0, IFF_UP),
    textAttribute(IFLA_IFNAME, name),
    nested(IFLA_LINKINFO, textAttribute(IFLA_INFO_KIND, "ifb")),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  socket.request([{ type: RTM_NEWLINK, flags, body, about: `make interface "${name}"` }])
}
