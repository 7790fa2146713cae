/** How fast an interface sends and receives (tc(8), rtnetlink: include/uapi/linux/pkt_sched.h, pkt_cls.h). */
import {
  attribute,
  concatBytes,
  nested,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  textAttribute,
  u32Attribute,
  type NetlinkMessage,
  type NetlinkSocket,
} from "./netlink.ts"

const RTM_NEWQDISC = 36
const RTM_DELQDISC = 37
const RTM_NEWTFILTER = 44
const TC_H_ROOT = 0xffffffff
const TC_H_INGRESS = 0xfffffff1
const INGRESS_HANDLE = 0xffff0000
const TBF_HANDLE = 0x00010000
const TCA_KIND = 1
const TCA_OPTIONS = 2
const TCA_TBF_PARMS = 1
const TCA_TBF_RATE64 = 4
const TCA_TBF_BURST = 6
const LINKLAYER_ETHERNET = 1
const TCA_U32_SEL = 5
const TCA_U32_ACT = 7
const TC_U32_TERMINAL = 1
const TCA_ACT_KIND = 1
const TCA_ACT_OPTIONS = 2
const TCA_MIRRED_PARMS = 2
const TCA_EGRESS_REDIR = 1
const TC_ACT_STOLEN = 4
const ETH_P_ALL_NETWORK_ORDER = 0x0300

/** A token bucket: what is sent at once at most, and how long a packet waits before the queue is full. */
const BURST_MS = 10
const MIN_BURST_BYTES = 16 * 1024
const LATENCY_MS = 100

/** A link's header, and one of a VLAN. */
const FRAME_HEADER_BYTES = 18
/** Fewer, and a connection would never have several under way. */
const LEAST_QUEUED_PACKETS = 4

/**
 * The message that has an interface send no faster, in bits a second. In place of what it had. `mtu`: of the packets that come. One that is larger
 * than the bucket would never be sent.
 */
export function limitEgress(
  index: number,
  { bitsPerSecond, mtu }: { bitsPerSecond: number; mtu: number },
): NetlinkMessage {
  const bytesPerSecond = bitsPerSecond / 8
  const packet = mtu + FRAME_HEADER_BYTES
  const burst = Math.max(MIN_BURST_BYTES, packet, Math.round((bytesPerSecond * BURST_MS) / 1000))
  const queued = Math.max(LEAST_QUEUED_PACKETS * packet, Math.round((bytesPerSecond * LATENCY_MS) / 1000))
  const limit = Math.min(0xffffffff, burst + queued)
  // struct tc_tbf_qopt: two tc_ratespec (rate and peak) of 12 bytes, limit, buffer, mtu
  const parameters = new Uint8Array(36)
  const view = new DataView(parameters.buffer)
  view.setUint8(1, LINKLAYER_ETHERNET) // it counts by length, so no table of times is needed
  view.setUint32(8, Math.min(bytesPerSecond, 0xffffffff), true)
  view.setUint32(24, limit, true)
  const rate = new Uint8Array(8)
  new DataView(rate.buffer).setBigUint64(0, BigInt(Math.round(bytesPerSecond)), true)
  const options = [
    attribute(TCA_TBF_PARMS, parameters),
    u32Attribute(TCA_TBF_BURST, burst),
    ...(bytesPerSecond > 0xffffffff ? [attribute(TCA_TBF_RATE64, rate)] : []),
  ]
  return {
    type: RTM_NEWQDISC,
    flags: NLM_F_ACK | NLM_F_CREATE,
    body: concatBytes([
      header(index, TBF_HANDLE, TC_H_ROOT),
      textAttribute(TCA_KIND, "tbf"),
      nested(TCA_OPTIONS, ...options),
    ]),
    about: `limit what interface ${index} sends`,
  }
}

/** The messages that have all that arrives at an interface go through another's sending queue first (an ifb). */
export function redirectIngress(index: number, to: number): NetlinkMessage[] {
  const ingress = concatBytes([header(index, INGRESS_HANDLE, TC_H_INGRESS), textAttribute(TCA_KIND, "ingress")])
  // struct tc_u32_sel with one key whose mask is 0: it fits every packet
  const selector = new Uint8Array(16 + 16)
  selector.set([TC_U32_TERMINAL, 0, 1])
  // struct tc_mirred: index, capab, action, refcnt, bindcnt, eaction, ifindex
  const mirred = new Uint8Array(28)
  const view = new DataView(mirred.buffer)
  view.setInt32(8, TC_ACT_STOLEN, true)
  view.setInt32(20, TCA_EGRESS_REDIR, true)
  view.setUint32(24, to, true)
  const action = nested(
    1,
    textAttribute(TCA_ACT_KIND, "mirred"),
    nested(TCA_ACT_OPTIONS, attribute(TCA_MIRRED_PARMS, mirred)),
  )
  const filter = concatBytes([
    header(index, 0, INGRESS_HANDLE, ((1 << 16) | ETH_P_ALL_NETWORK_ORDER) >>> 0),
    textAttribute(TCA_KIND, "u32"),
    nested(TCA_OPTIONS, attribute(TCA_U32_SEL, selector), nested(TCA_U32_ACT, action)),
  ])
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
  return [
    { type: RTM_NEWQDISC, flags, body: ingress, about: `see what interface ${index} receives` },
    { type: RTM_NEWTFILTER, flags, body: filter, about: `lead what interface ${index} receives to another` },
  ]
}

/** Takes both back. Safe to repeat. */
export function unlimit(socket: NetlinkSocket, index: number): void {
  for (const [handle, parent] of [
    [0, TC_H_ROOT],
    [INGRESS_HANDLE, TC_H_INGRESS],
  ] as const)
    try {
      const about = `lift the limits of interface ${index}`
      socket.request([{ type: RTM_DELQDISC, flags: NLM_F_ACK, body: header(index, handle, parent), about }])
    } catch (error) {
      // ENOENT, EINVAL: there is none
      if (!["ENOENT", "EINVAL"].includes((error as { code?: string }).code ?? "")) throw error
    }
}

/** struct tcmsg. */
function header(index: number, handle: number, parent: number, info = 0): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setInt32(4, index, true)
  view.setUint32(8, handle, true)
  view.setUint32(12, parent, true)
  view.setUint32(16, info, true)
  return bytes
}
