/**
 * Netlink (RFC 3549, netlink(7)): messages of attributes to the kernel over a socket, each answered by an error number.
 *
 * A socket belongs for ever to the network namespace in which it was opened, whoever uses it later (sys/netns.ts).
 * The kernel answers while it is being asked, so nothing here waits; the time-out is only a guard.
 */
import { ptr } from "bun:ffi"
import { check, close, lastErrno, libc, O_CLOEXEC, SystemError } from "../libc.ts"

/** netlink(7): interfaces, addresses, routes. */
export const NETLINK_ROUTE = 0
/** netlink(7): nftables, conntrack. */
export const NETLINK_NETFILTER = 12
export const NETLINK_SOCK_DIAG = 4

/** netlink(7): the message asks. */
const NLM_F_REQUEST = 1
/** netlink(7): also success is answered. */
export const NLM_F_ACK = 4
/** Takes the place of what is there. */
export const NLM_F_REPLACE = 0x100
/** netlink(7): EEXIST for what is there. */
export const NLM_F_EXCL = 0x200
/** netlink(7): all objects of the kind. */
export const NLM_F_DUMP = 0x300
/** netlink(7): make what is not there. */
export const NLM_F_CREATE = 0x400

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_EXT_ACK = 11
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const NLA_F_NESTED = 0x8000
const HEADER_BYTES = 16
const RECEIVE_BYTES = 256 * 1024
const RECEIVE_TIMEOUT_SECONDS = 10n

/** One message to the kernel. */
export interface NetlinkMessage {
  type: number
  /** NLM_F_REQUEST is added. */
  flags: number
  /** The family's own header and the attributes. */
  body: Uint8Array
  /** The thing it is about, for the error: `veth1a2b (on bridge skiff0)`. */
  about: string
}

/** One answer of a dump: the family's header and its attributes. */
export interface NetlinkAnswer {
  type: number
  body: Uint8Array
}

/** A socket to the kernel; each request is answered before the next is sent. */
export class NetlinkSocket implements Disposable {
  readonly fd: number
  #sequence = 1

  /** Takes over a socket made by `openNetlink`, perhaps in another namespace. */
  constructor(fd: number) {
    this.fd = fd
  }

  /**
   * Sends the messages in one datagram and waits for the kernel's word on each that has NLM_F_ACK, and for all of a dump.
   * Throws the SystemError of the first that failed, named by its `about`; those after it may have been done (rtnetlink).
   */
  request(messages: readonly NetlinkMessage[]): NetlinkAnswer[] {
    const first = this.#sequence
    this.#sequence += messages.length
    this.#send(concatBytes(messages.map((message, index) => encodeMessage(message, first + index))))
    const waiting = new Map(
      messages.flatMap((message, index) =>
        (message.flags & (NLM_F_ACK | NLM_F_DUMP)) === 0 ? [] : [[first + index, message]],
      ),
    )
    const answers: NetlinkAnswer[] = []
    let failure: SystemError | undefined
    while (waiting.size > 0) {
      for (const { type, flags, sequence, body } of this.#receive()) {
        const index = sequence - first
        const message = messages[index]
        // what is left of an earlier request that failed half-way
        if (message === undefined) continue
        if (type !== NLMSG_ERROR && type !== NLMSG_DONE) {
          answers.push({ type, body })
          continue
        }
        waiting.delete(sequence)
        const errno = body.length < 4 ? 0 : -new DataView(body.buffer, body.byteOffset).getInt32(0, true)
        if (errno > 0) {
          failure ??= new SystemError("netlink", errno, `${message.about}${extendedText(body, flags)}`)
          // a batch that nfnetlink refuses as a whole is not acknowledged message by message
          if (index === 0) return fail(failure)
        }
      }
    }
    return failure === undefined ? answers : fail(failure)
  }

  [Symbol.dispose](): void {
    close(this.fd)
  }

  #send(bytes: Uint8Array): void {
    check(libc.send(this.fd, ptr(bytes), bytes.length, 0), "netlink send")
  }

  *#receive(): Generator<{ type: number; flags: number; sequence: number; body: Uint8Array }> {
    receiveBuffer ??= new Uint8Array(RECEIVE_BYTES)
    const length = Number(libc.recv(this.fd, ptr(receiveBuffer), receiveBuffer.length, 0))
    if (length < 0) throw new SystemError("netlink receive", lastErrno(), "")
    // a copy: the caller may ask again while it still reads these
    const bytes = receiveBuffer.slice(0, length)
    const view = new DataView(bytes.buffer)
    for (let at = 0; at + HEADER_BYTES <= length;) {
      const size = view.getUint32(at, true)
      if (size < HEADER_BYTES) return
      yield {
        type: view.getUint16(at + 4, true),
        flags: view.getUint16(at + 6, true),
        sequence: view.getUint32(at + 8, true),
        body: bytes.subarray(at + HEADER_BYTES, at + size),
      }
      at += align(size)
    }
  }
}

let receiveBuffer: Uint8Array | undefined

/** A netlink socket in the calling thread's network namespace. */
export function openNetlink(protocol: number): number {
  const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC, protocol), "socket", "netlink")
  configureNetlink(fd)
  return fd
}

/** Errors with the kernel's words, room for the answers to a large batch, and an end to waiting. */
export function configureNetlink(fd: number): void {
  const on = new Int32Array([1])
  libc.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, ptr(on), 4)
  const bufferBytes = new Int32Array([4 * 1024 * 1024])
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, ptr(bufferBytes), 4)
  const timeout = new BigInt64Array([RECEIVE_TIMEOUT_SECONDS, 0n])
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ptr(timeout), 16)
}

function fail(error: SystemError): never {
  throw error
}

function encodeMessage(message: NetlinkMessage, sequence: number): Uint8Array {
  const bytes = new Uint8Array(align(HEADER_BYTES + message.body.length))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, HEADER_BYTES + message.body.length, true)
  view.setUint16(4, message.type, true)
  view.setUint16(6, message.flags | NLM_F_REQUEST, true)
  view.setUint32(8, sequence, true)
  bytes.set(message.body, HEADER_BYTES)
  return bytes
}

/** The kernel's own sentence, where it gives one: struct nlmsgerr, the request (or only its header), then attributes. */
function extendedText(body: Uint8Array, flags: number): string {
  if ((flags & NLM_F_ACK_TLVS) === 0) return ""
  const requestBytes = new DataView(body.buffer, body.byteOffset).getUint32(4, true)
  const attributes = body.subarray(4 + ((flags & NLM_F_CAPPED) === 0 ? align(requestBytes) : HEADER_BYTES))
  const text = parseAttributes(attributes).get(NLMSGERR_ATTR_MSG)
  return text === undefined ? "" : ` (${Buffer.from(text).toString().replace(/\0+$/, "")})`
}

const align = (length: number): number => (length + 3) & ~3

/** The parts one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** struct nlattr and its payload, padded to four bytes. */
export function attribute(type: number, payload: Uint8Array): Uint8Array {
  // a longer one cannot be written down in nla_len, and would be cut in silence
  if (payload.length + 4 > 0xffff) throw new RangeError(`netlink attribute ${type} of ${payload.length} bytes`)
  const bytes = new Uint8Array(align(4 + payload.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 4 + payload.length, true)
  view.setUint16(2, type, true)
  bytes.set(payload, 4)
  return bytes
}

/** An attribute made of attributes. */
export function nested(type: number, ...children: Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, concatBytes(children))
}

/** An attribute of one byte. */
export function u8Attribute(type: number, value: number): Uint8Array {
  return attribute(type, new Uint8Array([value]))
}

/** A 16-bit number in the host's byte order. */
export function u16Attribute(type: number, value: number): Uint8Array {
  return attribute(type, new Uint8Array([value & 0xff, value >>> 8]))
}

/** A 32-bit number in the host's byte order (rtnetlink; nfnetlink wants the network's). */
export function u32Attribute(type: number, value: number): Uint8Array {
  return attribute(type, u32(value))
}

/** An attribute of a text, with its NUL. */
export function textAttribute(type: number, text: string): Uint8Array {
  return attribute(type, Buffer.from(`${text}\0`))
}

/** Four bytes of a number; little-endian unless said otherwise. */
export function u32(value: number, littleEndian = true): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, littleEndian)
  return bytes
}

/** Attributes by type; of a type given twice, the last. What is cut short is left out. */
export function parseAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<number, Uint8Array>()
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true)
    if (length < 4 || at + length > bytes.length) break
    found.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length))
    at += align(length)
  }
  return found
}
