/** Blocks of names and values (SPDY protocol, draft 3.1, 2.6.10): one compressed stream in each direction of a connection. */
import { createInflate, type Inflate } from "node:zlib"
import { DICTIONARY } from "./dictionary.ts"

/** By name, in lower case. */
export type SpdyHeaders = Readonly<Record<string, string>>

/** A block that is larger when it is spread is an attack. */
const MAX_BLOCK_BYTES = 64 * 1024
const MAX_HEADERS = 100

/** Spreads the blocks that come, one after the other. */
export class HeaderReader implements Disposable {
  readonly #inflate: Inflate = createInflate({ dictionary: DICTIONARY })
  #out: Uint8Array[] = []
  #size = 0
  #failure: unknown

  constructor() {
    this.#inflate.on("data", (chunk: Uint8Array) => {
      this.#size += chunk.length
      if (this.#size <= MAX_BLOCK_BYTES) this.#out.push(chunk.slice())
    })
    this.#inflate.on("error", (error) => (this.#failure = error))
  }

  /** Throws for what is none. */
  async read(block: Uint8Array): Promise<SpdyHeaders> {
    ;[this.#out, this.#size] = [[], 0]
    await new Promise<void>((resolve, reject) => {
      const failed = (error: unknown): void => reject(error)
      this.#inflate.once("error", failed)
      this.#inflate.write(block, () => {
        this.#inflate.off("error", failed)
        resolve()
      })
    })
    if (this.#failure !== undefined) throw this.#failure
    if (this.#size > MAX_BLOCK_BYTES) throw new Error("a block of headers is too large")
    return parseHeaders(Buffer.concat(this.#out))
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy()
  }
}

/** Throws for what is none. Pure. */
export function parseHeaders(bytes: Buffer): SpdyHeaders {
  let at = 0
  const number = (): number => {
    if (at + 4 > bytes.length) throw new Error("a block of headers is cut short")
    at += 4
    return bytes.readUInt32BE(at - 4)
  }
  const text = (): string => {
    const length = number()
    if (at + length > bytes.length) throw new Error("a block of headers is cut short")
    at += length
    return bytes.toString("latin1", at - length, at)
  }
  const count = number()
  if (count > MAX_HEADERS) throw new Error("a block has too many headers")
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (let done = 0; done < count; done++) headers[text().toLowerCase()] = text()
  return headers
}

/** As `parseHeaders` reads them. Pure. */
export function formatHeaders(headers: SpdyHeaders): Buffer {
  const parts = Object.entries(headers).flat()
  const count = Buffer.alloc(4)
  count.writeUInt32BE(parts.length / 2)
  return Buffer.concat([
    count,
    ...parts.flatMap((part) => {
      const [length, bytes] = [Buffer.alloc(4), Buffer.from(part, "latin1")]
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  ])
}

/** RFC 1950: deflate with a window of 32 KiB and a dictionary, whose checksum follows. */
const ZLIB_HEAD = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2])
const MAX_STORED_BYTES = 65_535
/** An empty block, as of zlib's Z_SYNC_FLUSH: Go's reader hands on what came before when it meets one, and fails when it does not. */
const FLUSH = Buffer.from([0, 0, 0, 0xff, 0xff])

/** Makes the blocks that go out: not compressed (RFC 1951, 3.2.4), since ours have a few bytes. */
export class HeaderWriter {
  #isFirst = true

  write(headers: SpdyHeaders): Uint8Array {
    const bytes = formatHeaders(headers)
    if (bytes.length > MAX_STORED_BYTES) throw new Error("a block of headers is too large")
    const stored = Buffer.alloc(5)
    stored.writeUInt16LE(bytes.length, 1)
    stored.writeUInt16LE(bytes.length ^ 0xffff, 3)
    const head = this.#isFirst ? ZLIB_HEAD : Buffer.alloc(0)
    this.#isFirst = false
    return Buffer.concat([head, stored, bytes, FLUSH])
  }
}
