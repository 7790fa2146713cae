/** A client of SPDY/3.1 as Kubernetes' own: streams that it opens, headers compressed with zlib. */
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { constants, createDeflate, createInflate } from "node:zlib"
import { DICTIONARY } from "../../src/cri/streaming/spdy/dictionary.ts"

export interface ClientStream {
  id: number
  /** All that came, at the time of asking. */
  readonly received: Buffer
  /** The server has ended its half, or taken it back. */
  ended: Promise<void>
  isReset: boolean
  write(data: string | Uint8Array): void
  end(): void
}

export class SpdyClient {
  readonly #socket: Socket
  readonly #deflate = createDeflate({ dictionary: DICTIONARY })
  readonly #inflate = createInflate({ dictionary: DICTIONARY })
  readonly #streams = new Map<number, ClientStream & { chunks: Buffer[]; finish(): void }>()
  readonly #compressed: Buffer[] = []
  #next = 1
  #rest = Buffer.alloc(0)
  /** Headers of each reply, as they were read. */
  replies = 0
  pings = 0
  readonly closed: Promise<void>

  private constructor(
    socket: Socket,
    rest: Buffer,
    readonly protocol: string,
  ) {
    this.#socket = socket
    this.#deflate.on("data", (chunk: Buffer) => this.#compressed.push(chunk))
    this.#inflate.on("data", () => {})
    this.closed = new Promise((resolve) =>
      socket.once("close", () => {
        for (const stream of this.#streams.values()) stream.finish()
        resolve()
      }),
    )
    socket.on("error", () => {})
    socket.on("data", (chunk: Buffer) => this.#read(chunk))
    this.#read(rest)
  }

  /** Throws the status line and what follows where the server does not upgrade. */
  static async open(url: string, protocols: readonly string[]): Promise<SpdyClient> {
    const { hostname, port, pathname, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, "connect")
    const lines = protocols.map((name) => `X-Stream-Protocol-Version: ${name}\r\n`).join("")
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${lines}Content-Length: 0\r\n\r\n`,
    )
    let head = Buffer.alloc(0)
    while (!head.includes("\r\n\r\n")) {
      const [chunk] = (await Promise.race([once(socket, "data"), once(socket, "end").then(() => [undefined])])) as [
        Buffer | undefined,
      ]
      if (chunk === undefined) break
      head = Buffer.concat([head, chunk])
    }
    const end = head.indexOf("\r\n\r\n") + 4
    const text = head.toString("latin1", 0, end)
    if (!text.startsWith("HTTP/1.1 101")) {
      socket.destroy()
      throw new Error(head.toString("latin1"))
    }
    const [, protocol = ""] = /x-stream-protocol-version: (.*)\r\n/i.exec(text) ?? []
    return new SpdyClient(socket, head.subarray(end), protocol)
  }

  async stream(headers: Record<string, string>): Promise<ClientStream> {
    const id = this.#next
    this.#next += 2
    const done = Promise.withResolvers<void>()
    const stream = {
      id,
      chunks: [] as Buffer[],
      get received() {
        return Buffer.concat(this.chunks)
      },
      ended: done.promise,
      isReset: false,
      write: (data: string | Uint8Array) => this.#data(id, Buffer.from(data as string), 0),
      end: () => this.#data(id, Buffer.alloc(0), 1),
      finish: () => done.resolve(),
    }
    this.#streams.set(id, stream)
    const body = Buffer.concat([number(id), number(0), Buffer.from([0, 0]), await this.#block(headers)])
    this.#control(1, body)
    return stream
  }

  ping(): void {
    this.#control(6, number(1))
  }

  /** Bytes that are no frame of ours. */
  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #block(headers: Record<string, string>): Promise<Buffer> {
    const words = Object.entries(headers).flat()
    const bytes = Buffer.concat([
      number(words.length / 2),
      ...words.flatMap((word) => [number(word.length), Buffer.from(word)]),
    ])
    this.#compressed.length = 0
    this.#deflate.write(bytes)
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()))
    return Buffer.concat(this.#compressed)
  }

  #control(type: number, body: Uint8Array): void {
    const head = Buffer.from([0x80, 3, 0, type, 0, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff])
    this.#socket.write(Buffer.concat([head, body]))
  }

  #data(id: number, bytes: Buffer, flags: number): void {
    const head = Buffer.concat([number(id), number(bytes.length)])
    head[4] = flags
    this.#socket.write(Buffer.concat([head, bytes]))
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 8) {
      const [first, second] = [this.#rest.readUInt32BE(0), this.#rest.readUInt32BE(4)]
      const length = second & 0xffffff
      if (this.#rest.length < 8 + length) return
      const body = this.#rest.subarray(8, 8 + length)
      this.#rest = this.#rest.subarray(8 + length)
      if (first < 0x80000000) this.#hear(first, body, second >>> 24)
      else this.#obey(first & 0xffff, body)
    }
  }

  #hear(id: number, body: Buffer, flags: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    stream.chunks.push(body)
    if ((flags & 1) === 1) stream.finish()
  }

  #obey(type: number, body: Buffer): void {
    if (type === 2) {
      this.replies++
      this.#inflate.write(body.subarray(4))
    }
    if (type === 3) {
      const stream = this.#streams.get(body.readUInt32BE(0))
      if (stream !== undefined) stream.isReset = true
      stream?.finish()
    }
    if (type === 6) this.pings++
  }
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
