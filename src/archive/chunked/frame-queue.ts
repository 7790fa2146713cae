import type { Bytes } from "../../base/bytes.ts"
import type { WrittenChunk } from "./toc-entry.ts"

/** Compresses one piece, alone. */
export type CompressPiece = (bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array

/** So much may wait to be written: enough for every processor, and little memory. */
const MAX_WAITING_BYTES = 16 << 20

/** Pieces that are being compressed beside each other, and come out in their order. */
export class FrameQueue {
  /** Bytes that have come out. */
  offset = 0
  #waitingBytes = 0
  readonly #compress: CompressPiece
  #frames: { made: Promise<Uint8Array> | Uint8Array; size: number; chunk: WrittenChunk | undefined }[] = []

  constructor(compress: CompressPiece) {
    this.#compress = compress
  }

  /** `chunk` is told where its bytes are, once they have come out. */
  push(bytes: Uint8Array, chunk?: WrittenChunk): void {
    const made = this.#compress(bytes)
    // it is awaited late
    if (made instanceof Promise) made.catch(() => {})
    this.#waitingBytes += bytes.length
    this.#frames.push({ made, size: bytes.length, chunk })
  }

  /** What is too much to wait, or `all`. */
  async *take({ all = false } = {}): Bytes {
    const mayWait = all ? -1 : MAX_WAITING_BYTES
    let taken = 0
    for (const frame of this.#frames) {
      if (this.#waitingBytes <= mayWait) break
      taken++
      const bytes = await frame.made
      this.#waitingBytes -= frame.size
      const start = this.offset
      this.offset += bytes.length
      if (frame.chunk !== undefined) Object.assign(frame.chunk, { start, end: this.offset })
      yield bytes
    }
    this.#frames = this.#frames.slice(taken)
  }
}
