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
    const named = concatBytes([header, attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, original)])
    try {
      netfilter.request([
        { type: type | IPCTNL_MSG_CT_DELETE, flags: NLM_F_ACK, body: named, about: "forget a UDP connection" },
      ])
    } catch (error) {
      // it has ended by itself
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }
}

function isStale(
  original: Uint8Array,
  reply: Uint8Array | undefined,
  ports: ReadonlySet<number>,
  address: Uint8Array,
): boolean {
  const protocol = parseAttributes(parseAttributes(original).get(CTA_TUPLE_PROTO) ?? new Uint8Array())
  const [number] = protocol.get(CTA_PROTO_NUM) ?? []
  const [high = 0, low = 0] = protocol.get(CTA_PROTO_DST_PORT) ?? []
  if (number !== IPPROTO_UDP || !ports.has(high * 256 + low)) return false
  const answers = parseAttributes(parseAttributes(reply ?? new Uint8Array()).get(CTA_TUPLE_IP) ?? new Uint8Array())
  const from = answers.get(address.length === 16 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC)
  return from === undefined || !address.every((byte, index) => byte === from[index])
}
