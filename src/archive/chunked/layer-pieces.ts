/** A layer's archive as the pieces that are compressed each alone, so that each can be fetched alone. */
import { createHash, type Hash } from "node:crypto"
import { Unsupported } from "../../base/errors.ts"
import { shownName } from "../../sys/fs/raw-name.ts"
import type { TarEntry, TarSink } from "../tar-entry.ts"
import { Crc64 } from "./crc64.ts"
import type { WrittenChunk } from "./toc-entry.ts"

/** As stargz-snapshotter's: of larger files a part can be fetched, and memory stays bounded. */
const MAX_CHUNK_BYTES = 4 << 20
/** Of a table that is read again: see `MAX_TOC_BYTES`. */
const MAX_ENTRIES = 100_000

/** One entry of the archive. What is known of its content, and where its chunks are, stands in it at its end. */
export interface LayerPiece {
  entry: TarEntry
  /** `sha256:…` of a content that is not empty. */
  digest?: string
  crc?: Uint8Array
  chunks: WrittenChunk[]
}

/** Hears of the pieces, in the order of the archive. */
export interface PieceSink {
  /** Bytes that are no file's content; the receiver copies them. */
  raw(bytes: Uint8Array): void
  /** The headers of this entry have been told. */
  header(piece: LayerPiece): void
  /** A part of its content, which is the receiver's. */
  chunk(piece: LayerPiece, bytes: Buffer, chunk: WrittenChunk): void
  /** Its content has been told. */
  end(piece: LayerPiece): void
}

/** Throws Unsupported for what a table of contents cannot tell: sparse files, one name twice, more than 100,000 files. */
export class LayerPieces implements TarSink {
  readonly #sink: PieceSink
  readonly #names = new Set<string>()
  #announced: LayerPiece | undefined
  #content: OpenContent | undefined

  constructor(sink: PieceSink) {
    this.#sink = sink
  }

  entry(entry: TarEntry): void {
    const name = entry.name.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "")
    if (entry.isSparse) throw new Unsupported(`${shownName(entry.name)} in the layer is sparse`)
    if (this.#names.has(name)) throw new Unsupported(`the layer has ${shownName(entry.name)} twice`)
    if (this.#names.add(name).size > MAX_ENTRIES) throw new Unsupported(`the layer has more than ${MAX_ENTRIES} files`)
    this.#announced = { entry, chunks: [] }
  }

  raw(bytes: Uint8Array): void {
    this.#sink.raw(bytes)
    const piece = this.#announced
    if (piece === undefined) return
    this.#announced = undefined
    this.#sink.header(piece)
    if (piece.entry.sizeBytes === 0) return this.#sink.end(piece)
    this.#content = new OpenContent(piece, this.#sink)
  }

  data(bytes: Uint8Array): void {
    this.#content?.write(bytes)
  }

  end(): void {
    const content = this.#content
    if (content === undefined) return
    this.#content = undefined
    content.finish()
  }
}

/** The content of one file, cut into chunks. */
class OpenContent {
  readonly #piece: LayerPiece
  readonly #sink: PieceSink
  readonly #hash: Hash = createHash("sha256")
  readonly #crc = new Crc64()
  #chunk: Buffer
  #used = 0
  #before = 0

  constructor(piece: LayerPiece, sink: PieceSink) {
    this.#piece = piece
    this.#sink = sink
    this.#chunk = this.#nextChunk()
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(bytes.length - at, this.#chunk.length - this.#used)
      this.#chunk.set(bytes.subarray(at, at + count), this.#used)
      this.#used += count
      at += count
      if (this.#used === this.#chunk.length) this.#flush()
    }
  }

  finish(): void {
    const [first, ...more] = this.#piece.chunks
    this.#piece.digest = more.length === 0 ? (first?.digest ?? "") : `sha256:${this.#hash.digest("hex")}`
    this.#piece.crc = this.#crc.digest()
    this.#sink.end(this.#piece)
  }

  #nextChunk(): Buffer {
    return Buffer.allocUnsafeSlow(Math.min(this.#piece.entry.sizeBytes - this.#before, MAX_CHUNK_BYTES))
  }

  #flush(): void {
    const bytes = this.#chunk
    if (this.#piece.entry.sizeBytes > MAX_CHUNK_BYTES) this.#hash.update(bytes)
    this.#crc.update(bytes)
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
    const chunk: WrittenChunk = { chunkOffset: this.#before, size: bytes.length, digest, start: 0, end: 0 }
    this.#piece.chunks.push(chunk)
    this.#sink.chunk(this.#piece, bytes, chunk)
    this.#before += bytes.length
    this.#used = 0
    this.#chunk = this.#nextChunk()
  }
}
