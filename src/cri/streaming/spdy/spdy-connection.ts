/**
 * The server's side of SPDY/3.1 as Kubernetes speaks it: streams that the client opens, without windows (its library sends none and waits
 * for none: TCP alone holds back who sends too fast).
 */
import { Inbox, WaitingRoom, type ByteStream, type Sink } from "../../../sys/net/websocket/byte-stream.ts"
import type { Wire } from "../../../sys/net/websocket/wire.ts"
import { controlFrame, dataFrame, FLAG_FIN, FRAME, parseFrameHead, RST, words, type FrameHead } from "./frames.ts"
import { HeaderReader, HeaderWriter, type SpdyHeaders } from "./header-block.ts"

/** At once, of one connection. */
const MAX_STREAMS = 512
/** Kubernetes' are a word or two; they are kept as long as the stream is. */
const MAX_STREAM_HEADER_LENGTH = 1024
const MAX_CONTROL_BYTES = 64 * 1024
/** Of one read: a frame of data is handed on as it comes. */
const PIECE_BYTES = 64 * 1024
/** Of one frame that we send. */
const MAX_DATA_BYTES = 32 * 1024

/** One stream of a connection. */
export interface SpdyStream extends ByteStream {
  readonly headers: SpdyHeaders
  /** Takes it back. */
  reset(): Promise<void>
}

type Connection = Pick<Wire, "some" | "exactly" | "write" | "end" | "closed">

/** One connection of a client, and its streams. */
export class SpdyConnection {
  readonly #wire: Connection
  readonly #streams = new Map<number, Stream>()
  readonly #reader = new HeaderReader()
  readonly #writer = new HeaderWriter()
  readonly #onStream: (stream: SpdyStream) => void
  readonly #room = new WaitingRoom()
  #last = 0
  #queue: Promise<void> = Promise.resolve()

  /** `onStream` is told of each stream that the client opens. Nothing is read before `run`. */
  constructor(wire: Connection, onStream: (stream: SpdyStream) => void) {
    this.#wire = wire
    this.#onStream = onStream
  }

  /** Reads until the client has gone, or says what it must not. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#wire.exactly(8)
        const head = bytes && parseFrameHead(bytes)
        if (head === undefined) return
        if (!(head.kind === "data" ? await this.#data(head) : await this.#control(head))) return
      }
    } finally {
      for (const stream of this.#streams.values()) stream.inbox.end()
      this.#streams.clear()
      this.#reader[Symbol.dispose]()
    }
  }

  /** Ends all that is open and closes, once it is out. */
  async close(): Promise<void> {
    for (const stream of this.#streams.values()) await stream.end()
    await this.send(controlFrame(FRAME.goAway, words([this.#last, 0])))
    this.#wire.end()
  }

  /** In the order of the calls. */
  send(frame: Uint8Array): Promise<void> {
    return (this.#queue = this.#queue.then(() => this.#wire.write(frame)))
  }

  forget(id: number): void {
    this.#streams.delete(id)
  }

  async #data({ stream: id, flags, length }: Extract<FrameHead, { kind: "data" }>): Promise<boolean> {
    const stream = this.#streams.get(id)
    for (let left = length; left > 0;) {
      const piece = await this.#wire.some(Math.min(left, PIECE_BYTES))
      if (piece === undefined) return false
      left -= piece.length
      await stream?.inbox.add(piece.slice())
    }
    if (stream !== undefined && (flags & FLAG_FIN) !== 0) stream.hear()
    return true
  }

  async #control({ type, flags, length }: Extract<FrameHead, { kind: "control" }>): Promise<boolean> {
    const body = length > MAX_CONTROL_BYTES ? undefined : await this.#wire.exactly(length)
    if (body === undefined) return false
    const view = Buffer.from(body)
    switch (type) {
      case FRAME.synStream:
        if (length < 10) return false
        return this.#open(view.readUInt32BE(0) & 0x7fffffff, flags, view.subarray(10))
      case FRAME.headers:
        // they go through the same compressor, so they are read, whatever they say
        if (length >= 4) await this.#reader.read(view.subarray(4))
        return true
      case FRAME.rstStream: {
        if (length < 8) return false
        const id = view.readUInt32BE(0) & 0x7fffffff
        this.#streams.get(id)?.drop()
        return true
      }
      case FRAME.ping:
        // odd numbers are the client's
        if (length === 4 && view.readUInt32BE(0) % 2 === 1) await this.send(controlFrame(FRAME.ping, body))
        return true
      case FRAME.goAway:
        // it opens no more, and waits for what is open
        return true
      default:
        return true
    }
  }

  async #open(id: number, flags: number, block: Uint8Array): Promise<boolean> {
    const headers = await this.#reader.read(block)
    if (id % 2 === 0 || id <= this.#last) return false
    this.#last = id
    if (this.#streams.size >= MAX_STREAMS || lengthOf(headers) > MAX_STREAM_HEADER_LENGTH) {
      await this.send(controlFrame(FRAME.rstStream, words([id, RST.refusedStream])))
      return true
    }
    const stream = new Stream(this, { id, headers, room: this.#room })
    this.#streams.set(id, stream)
    await this.send(controlFrame(FRAME.synReply, words([id], this.#writer.write({}))))
    if ((flags & FLAG_FIN) !== 0) stream.hear()
    this.#onStream(stream)
    return true
  }
}

function lengthOf(headers: SpdyHeaders): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + (value ?? "").length, 0)
}

class Stream implements SpdyStream {
  readonly inbox: Inbox
  readonly headers: SpdyHeaders
  readonly #connection: SpdyConnection
  readonly #id: number
  #isHeard = false
  #isSaid = false

  constructor(
    connection: SpdyConnection,
    { id, headers, room }: { id: number; headers: SpdyHeaders; room: WaitingRoom },
  ) {
    this.inbox = new Inbox(room)
    this.#connection = connection
    this.#id = id
    this.headers = headers
  }

  get ended(): Promise<void> {
    return this.inbox.ended
  }

  onData(sink: Sink): void {
    this.inbox.onData(sink)
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#isSaid; at += MAX_DATA_BYTES)
      await this.#connection.send(dataFrame(this.#id, chunk.subarray(at, at + MAX_DATA_BYTES)))
  }

  async end(): Promise<void> {
    if (this.#isSaid) return
    this.#isSaid = true
    await this.#connection.send(dataFrame(this.#id, new Uint8Array(), FLAG_FIN))
    this.#forget()
  }

  async reset(): Promise<void> {
    this.drop()
    await this.#connection.send(controlFrame(FRAME.rstStream, words([this.#id, RST.cancel])))
  }

  /** The other side has ended its half. */
  hear(): void {
    this.#isHeard = true
    this.inbox.end()
    this.#forget()
  }

  /** The other side has taken it back. */
  drop(): void {
    this.#isSaid = true
    this.inbox.drop()
    this.hear()
  }

  #forget(): void {
    if (this.#isHeard && this.#isSaid) this.#connection.forget(this.#id)
  }
}
