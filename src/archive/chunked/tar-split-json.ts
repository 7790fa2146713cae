/**
 * tar-split as github.com/vbatts/tar-split writes it, and zstd:chunked layers carry it: lines of JSON, each a segment of the archive
 * (headers, padding) or the place of one entry's content.
 */
import { Buffer } from "node:buffer"
import { zstdCompressSync } from "node:zlib"
import { rawText } from "./raw-text.ts"
import type { LayerPiece } from "./layer-pieces.ts"

/** tar-split's types of lines. */
export const SPLIT_FILE = 1
/** The other one. */
export const SPLIT_SEGMENT = 2

const FRAME_BYTES = 1 << 20

/** Writes the lines, compressed in several frames, which together are one stream. */
export class TarSplitJsonWriter {
  /** Of the lines. */
  uncompressedBytes = 0
  readonly #frames: Uint8Array[] = []
  #segment: Uint8Array[] = []
  #lines: string[] = []
  #linesBytes = 0
  #position = 0

  raw(bytes: Uint8Array): void {
    this.#segment.push(Buffer.from(bytes))
  }

  /** Behind the headers of the entry. */
  file({ entry, crc }: LayerPiece): void {
    this.#endSegment()
    const payload = crc === undefined ? null : Buffer.from(crc).toString("base64")
    const size = entry.sizeBytes === 0 ? {} : { size: entry.sizeBytes }
    this.#line({ type: SPLIT_FILE, name: rawText(entry.name), ...size, payload })
  }

  finish(): Uint8Array {
    this.#endSegment()
    this.#flush()
    return Buffer.concat(this.#frames)
  }

  #endSegment(): void {
    const bytes = Buffer.concat(this.#segment)
    this.#segment = []
    for (let at = 0; at < bytes.length; at += FRAME_BYTES)
      this.#line({
        type: SPLIT_SEGMENT,
        payload: bytes.toString("base64", at, Math.min(at + FRAME_BYTES, bytes.length)),
      })
  }

  #line(record: object): void {
    const line = `${JSON.stringify({ ...record, position: this.#position++ })}\n`
    this.#lines.push(line)
    this.#linesBytes += Buffer.byteLength(line)
    if (this.#linesBytes >= FRAME_BYTES) this.#flush()
  }

  #flush(): void {
    if (this.#linesBytes === 0) return
    this.uncompressedBytes += this.#linesBytes
    this.#frames.push(zstdCompressSync(Buffer.from(this.#lines.join(""))))
    this.#lines = []
    this.#linesBytes = 0
  }
}
