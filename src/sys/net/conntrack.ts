/** Connections that the kernel remembers (ctnetlink; include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
import { hasErrno } from "../../base/errors.ts"
import { attribute, concatBytes, NLM_F_ACK, NLM_F_DUMP, parseAttributes, type NetlinkSocket } from "./netlink.ts"

const NFNL_SUBSYS_CTNETLINK = 1
const IPCTNL_MSG_CT_GET = 1
const IPCTNL_MSG_CT_DELETE = 2
const AF_INET = 2
const AF_INET6 = 10
const NLA_F_NESTED = 0x8000
const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_REPLY = 2
const CTA_TUPLE_IP = 1
const CTA_IP_V4_SRC = 1
const CTA_IP_V6_SRC = 3
const CTA_IP_V4_DST = 2
const CTA_IP_V6_DST = 4
const CTA_TUPLE_PROTO = 2
const CTA_PROTO_NUM = 1
const CTA_PROTO_DST_PORT = 3
const IPPROTO_UDP = 17

/**
 * Forgets what UDP callers of these ports were told before: a caller that never stops talking would for ever be led to the
 * address of a container that is gone. Connections to `address`, the right one in its four or sixteen bytes, stay. Reads the whole table
 * of its family.
 */
export function forgetUdpCallers(netfilter: NetlinkSocket, ports: ReadonlySet<number>, address: Uint8Array): void {
  const header = new Uint8Array([address.length === 16 ? AF_INET6 : AF_INET, 0, 0, 0])
  const type = NFNL_SUBSYS_CTNETLINK << 8
  const dump = { type: type | IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, body: header, about: "list connections" }
  for (const { body } of netfilter.request([dump])) {
    const tuples = parseAttributes(body.subarray(4))
    const original = tuples.get(CTA_TUPLE_ORIG)
    if (original === undefined || !isStale(original, tuples.get(CTA_TUPLE_REPLY), ports, address)) continue
    forget(netfilter, concatBytes([header, attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, original)]))
  }
}

/** A port that UDP callers ask, at these addresses (or, `nodePort`, at any), and who may answer. */
export interface AskedPort {
  port: number
  nodePort?: number | undefined
  addresses: readonly Uint8Array[]
  live: readonly Uint8Array[]
}

/** Forgets UDP callers of these ports who are answered by none that may. Reads the whole table of the family. */
export function forgetUdpCallersOf(netfilter: NetlinkSocket, family: 4 | 6, asked: readonly AskedPort[]): void {
  const header = new Uint8Array([family === 6 ? AF_INET6 : AF_INET, 0, 0, 0])
  const type = NFNL_SUBSYS_CTNETLINK << 8
  const dump = { type: type | IPCTNL_MSG_CT_GET, flags: NLM_F_DUMP, body: header, about: "list connections" }
  const [source, destination] = family === 6 ? [CTA_IP_V6_SRC, CTA_IP_V6_DST] : [CTA_IP_V4_SRC, CTA_IP_V4_DST]
  const places = asked.map(({ port, nodePort, addresses, live }) => ({
    port,
    nodePort,
    addresses: new Set(addresses.map(hexOf)),
    live: new Set(live.map(hexOf)),
  }))
  for (const { body } of netfilter.request([dump])) {
    const tuples = parseAttributes(body.subarray(4))
    const original = tuples.get(CTA_TUPLE_ORIG)
    const port = original && udpPort(original)
    if (original === undefined || port === undefined) continue
    const to = hexOf(addressIn(original, destination))
    const by = hexOf(addressIn(tuples.get(CTA_TUPLE_REPLY), source))
    const place = places.find((one) => (one.port === port && one.addresses.has(to)) || one.nodePort === port)
    // what was never led anywhere else is no caller of ours, or is refused
    if (place === undefined || place.live.has(by)) continue
    forget(netfilter, concatBytes([header, attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, original)]))
  }
}

function forget(netfilter: NetlinkSocket, body: Uint8Array): void {
  const type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE
  try {
    netfilter.request([{ type, flags: NLM_F_ACK, body, about: "forget a UDP connection" }])
  } catch (error) {
    // it has ended by itself
    if (!hasErrno(error, "ENOENT")) throw error
  }
}

function addressIn(tuple: Uint8Array | undefined, field: number): Uint8Array {
  const empty = new Uint8Array()
  return parseAttributes(parseAttributes(tuple ?? empty).get(CTA_TUPLE_IP) ?? empty).get(field) ?? empty
}

function udpPort(original: Uint8Array): number | undefined {
  const protocol = parseAttributes(parseAttributes(original).get(CTA_TUPLE_PROTO) ?? new Uint8Array())
  const [number] = protocol.get(CTA_PROTO_NUM) ?? []
  const [high = 0, low = 0] = protocol.get(CTA_PROTO_DST_PORT) ?? []
  return number === IPPROTO_UDP ? high * 256 + low : undefined
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

function isStale(
  original: Uint8Array,
  reply: Uint8Array | undefined,
  ports: ReadonlySet<number>,
  address: Uint8Array,
): boolean {
  const port = udpPort(original)
  if (port === undefined || !ports.has(port)) return false
  const answers = parseAttributes(parseAttributes(reply ?? new Uint8Array()).get(CTA_TUPLE_IP) ?? new Uint8Array())
  const from = answers.get(address.length === 16 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC)
  return from === undefined || !address.every((byte, index) => byte === from[index])
}
