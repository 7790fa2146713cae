/** Frames of SPDY/3.1 (SPDY protocol, draft 3.1, 2.2). Pure. */

export const FRAME = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

/** Ends the sender's half of a stream. */
export const FLAG_FIN = 1
/** Why a stream is taken back. */
export const RST = { protocolError: 1, refusedStream: 3, cancel: 5 } as const

const VERSION = 3
const HEAD_BYTES = 8

/** The first eight bytes of a frame. */
export type FrameHead =
  | { kind: "data"; stream: number; flags: number; length: number }
  | { kind: "control"; type: number; flags: number; length: number }

/** Undefined: of another version. */
export function parseFrameHead(bytes: Uint8Array): FrameHead | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES)
  const [first, second] = [view.getUint32(0), view.getUint32(4)]
  const [flags, length] = [second >>> 24, second & 0xffffff]
  if (first >>> 31 === 0) return { kind: "data", stream: first, flags, length }
  if (((first >>> 16) & 0x7fff) !== VERSION) return undefined
  return { kind: "control", type: first & 0xffff, flags, length }
}

export function dataFrame(stream: number, payload: Uint8Array, flags = 0): Uint8Array {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  frame.writeUInt32BE(stream, 0)
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4)
  frame.set(payload, HEAD_BYTES)
  return frame
}

export function controlFrame(type: number, body: Uint8Array, flags = 0): Uint8Array {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  frame.writeUInt32BE(((0x8000 | VERSION) * 0x10000 + type) >>> 0, 0)
  frame.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4)
  frame.set(body, HEAD_BYTES)
  return frame
}

/** Numbers of 32 bits, one after the other, and what comes behind them. */
export function words(numbers: readonly number[], rest: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = Buffer.alloc(numbers.length * 4 + rest.length)
  numbers.forEach((number, index) => bytes.writeUInt32BE(number >>> 0, index * 4))
  bytes.set(rest, numbers.length * 4)
  return bytes
}
