/**
 * A WebSocket (RFC 6455), on a connection that was upgraded: the server's side, or the client's. Written here, as the runtime's own wants its own server
 * before it, which does not speak SPDY, and `ws` is replaced by that one.
 */
import { createHash } from "node:crypto"
import type { Wire } from "./wire.ts"

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
/** Of one message. */
const MAX_MESSAGE_BYTES = 1024 * 1024
/** That one message comes in: frames without a byte cost as much memory as others. */
const MAX_FRAMES = 4096
const NORMAL = 1000
const PROTOCOL_ERROR = 1002
const TOO_LARGE = 1009

/** What `Sec-WebSocket-Accept` must be (RFC 6455, 4.2.2). Pure. */
export function acceptKey(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64")
}

/** One frame, whole: unmasked as a server sends it, or with a client's mask. Pure. */
export function frame(opcode: number, payload: Uint8Array, mask?: Uint8Array): Uint8Array {
  const { length } = payload
  const isMasked = mask === undefined ? 0 : 0x80
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, isMasked | length])
      : length < 0x10000
        ? Buffer.from([0x80 | opcode, isMasked | 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([0x80 | opcode, isMasked | 127, 0, 0, 0, 0]), uint32(length)])
  if (mask === undefined) return Buffer.concat([head, payload])
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}

type Connection = Pick<Wire, "exactly" | "write" | "end">

/** Messages of RFC 6455, as server or client, over a connection whose handshake is done. */
export class WebSocketConnection {
  readonly #wire: Connection
  readonly #isClient: boolean
  #queue: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(wire: Connection, { isClient = false } = {}) {
    this.#wire = wire
    this.#isClient = isClient
  }

  /** One message. In the order of the calls. */
  send(payload: Uint8Array, isText = false): Promise<void> {
    return this.#frame(isText ? OPCODE.text : OPCODE.binary, payload)
  }

  async close(code: number = NORMAL): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#frame(OPCODE.close, Buffer.from([code >> 8, code & 0xff]))
    this.#wire.end()
  }

  /** The messages that come, until the other side closes or says what it must not. */
  async *messages(): AsyncGenerator<Uint8Array, void, undefined> {
    let parts: Uint8Array[] = []
    let size = 0
    for (;;) {
      const one = await this.#next(MAX_MESSAGE_BYTES - size)
      if (typeof one === "number") return this.close(one)
      const { opcode, isLast, payload } = one
      if (opcode === OPCODE.close) return this.close()
      if (opcode === OPCODE.ping) {
        await this.#frame(OPCODE.pong, payload)
        continue
      }
      if (opcode === OPCODE.pong) continue
      const isMore = opcode === OPCODE.continuation
      if (isMore !== parts.length > 0 || opcode > OPCODE.binary) return this.close(PROTOCOL_ERROR)
      if (parts.length >= MAX_FRAMES) return this.close(TOO_LARGE)
      parts.push(payload)
      size += payload.length
      if (!isLast) continue
      yield parts.length === 1 ? payload : Buffer.concat(parts)
      ;[parts, size] = [[], 0]
    }
  }

  /** A code to close with, where it is not one that may come. */
  async #next(room: number): Promise<{ opcode: number; isLast: boolean; payload: Uint8Array } | number> {
    const head = await this.#wire.exactly(2)
    if (head === undefined) return NORMAL
    const [first = 0, second = 0] = head
    const opcode = first & 0x0f
    const isControl = opcode >= OPCODE.close
    let length = second & 0x7f
    // a client's frames are masked and a server's are not, and nobody has agreed on what the other bits mean
    const isMasked = (second & 0x80) !== 0
    if (isMasked === this.#isClient || (first & 0x70) !== 0) return PROTOCOL_ERROR
    if (isControl && (length > 125 || (first & 0x80) === 0)) return PROTOCOL_ERROR
    if (length >= 126) {
      const more = await this.#wire.exactly(length === 126 ? 2 : 8)
      if (more === undefined) return NORMAL
      length = Number(more.reduce((value, byte) => value * 256n + BigInt(byte), 0n))
    }
    if (length > room) return TOO_LARGE
    const mask = isMasked ? await this.#wire.exactly(4) : Uint8Array.of(0, 0, 0, 0)
    const payload = mask && (await this.#wire.exactly(length))
    if (mask === undefined || payload === undefined) return NORMAL
    for (let at = 0; at < length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
    return { opcode, isLast: (first & 0x80) !== 0, payload }
  }

  #frame(opcode: number, payload: Uint8Array): Promise<void> {
    const mask = this.#isClient ? crypto.getRandomValues(new Uint8Array(4)) : undefined
    return (this.#queue = this.#queue.then(() => this.#wire.write(frame(opcode, payload, mask))))
  }
}
