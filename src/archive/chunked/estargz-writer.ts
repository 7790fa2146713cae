import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import type { TarEntry } from "../tar-entry.ts"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../tar-writer.ts"
import type { FrameQueue } from "./frame-queue.ts"
import type { LayerPiece, PieceSink } from "./layer-pieces.ts"
import { CHUNKED_ANNOTATIONS, estargzFooter } from "./positions.ts"
import { timeText, tocEntryOf, type TocEntry, type WrittenChunk } from "./toc-entry.ts"

const TOC_NAME = "stargz.index.json"
const LANDMARK_NAME = ".no.prefetch.landmark"
const LANDMARK = {
  type: "file",
  name: LANDMARK_NAME,
  linkName: "",
  mode: 0,
  uid: 0,
  gid: 0,
  sizeBytes: 1,
  device: { major: 0, minor: 0 },
  isSparse: false,
} as const
const LANDMARK_CONTENT = Buffer.from([0xf])
/** What the format adds itself; of a layer that was an eStargz before it is left out. */
const OWN_NAMES = new Set([TOC_NAME, LANDMARK_NAME, ".prefetch.landmark"])

/**
 * eStargz (stargz-snapshotter): each chunk of content a gzip stream of its own, the table of contents as a last file of
 * the archive, a footer that leads to it. The archive is another than it was: a landmark comes first, the table last, and so
 * is its digest. `endOffset`, which zstd:chunked tables have, says where a content ends: there we end the stream, so
 * that headers can be fetched without the contents between them. Readers that do not know it read on into the next stream.
 */
export class EstargzWriter implements PieceSink {
  readonly #frames: FrameQueue
  readonly #level: number | undefined
  readonly #hash = createHash("sha256")
  readonly #pieces: LayerPiece[] = []
  #uncompressedBytes = 0
  /** Told since the last headers: padding, and headers of the entry that comes. */
  #told: Uint8Array[] = []
  /** To be written before the next content. */
  #kept: Uint8Array[] = []
  /** Of `#told`, what fills the last block of the file before. */
  #paddingBytes = 0
  #isDropped = false

  constructor(frames: FrameQueue, level: number | undefined) {
    this.#frames = frames
    this.#level = level
    this.#landmark()
  }

  raw(bytes: Uint8Array): void {
    this.#told.push(Buffer.from(bytes))
  }

  header({ entry }: LayerPiece): void {
    const headers = this.#takePadding()
    this.#isDropped = OWN_NAMES.has(entry.name.replace(/^(?:\.?\/)+/, ""))
    if (!this.#isDropped) this.#kept.push(headers)
  }

  chunk(_: LayerPiece, bytes: Buffer, chunk: WrittenChunk): void {
    if (this.#isDropped) return
    this.#flush()
    this.#push(bytes, chunk)
  }

  end(piece: LayerPiece): void {
    this.#paddingBytes = tarPadding(piece.entry.sizeBytes).length
    if (!this.#isDropped) this.#pieces.push(piece)
  }

  /** After the last byte: what follows the last file but its padding is the end of an archive, which goes on. */
  finish(): void {
    this.#takePadding()
    this.#flush()
  }

  /** The table and the footer, the annotations that lead to it, and the digest that the archive now has. */
  tail(offset: number): { bytes: Uint8Array; annotations: Record<string, string>; diffId: string } {
    const json = Buffer.from(JSON.stringify({ version: 1, entries: this.#pieces.flatMap(tocEntries) }, null, "\t"))
    const file = Buffer.concat([
      encodeTarHeader({ name: TOC_NAME, sizeBytes: json.length, mode: 0 }),
      json,
      tarPadding(json.length),
      Buffer.alloc(TAR_END_BYTES),
    ])
    this.#hash.update(file)
    const packed = gzipSync(file, this.#level === undefined ? {} : { level: this.#level })
    return {
      bytes: Buffer.concat([packed, estargzFooter(offset)]),
      annotations: {
        [CHUNKED_ANNOTATIONS.estargzTocDigest]: `sha256:${createHash("sha256").update(json).digest("hex")}`,
        [CHUNKED_ANNOTATIONS.estargzUncompressedSize]: String(this.#uncompressedBytes + file.length),
      },
      diffId: `sha256:${this.#hash.digest("hex")}`,
    }
  }

  /** eStargz specification, #prioritized-files-and-landmark-files: nothing is to be fetched before it is asked for. */
  #landmark(): void {
    const name = LANDMARK_NAME
    const digest = `sha256:${createHash("sha256").update(LANDMARK_CONTENT).digest("hex")}`
    const chunk = { chunkOffset: 0, size: 1, digest, start: 0, end: 0 }
    const entry: TarEntry = { ...LANDMARK, mtime: { seconds: 0n, nanoseconds: 0 }, attributes: new Map() }
    this.#kept.push(encodeTarHeader({ name, sizeBytes: 1, mode: 0 }))
    this.#flush()
    this.#push(LANDMARK_CONTENT, chunk)
    this.#pieces.push({ entry, digest, chunks: [chunk] })
    this.#kept.push(tarPadding(1))
  }

  /** Keeps the padding of the file before, where that is kept; gives what was told behind it. */
  #takePadding(): Uint8Array {
    const told = Buffer.concat(this.#told)
    if (!this.#isDropped) this.#kept.push(told.subarray(0, this.#paddingBytes))
    const rest = told.subarray(this.#paddingBytes)
    this.#told = []
    this.#paddingBytes = 0
    return rest
  }

  #flush(): void {
    const kept = Buffer.concat(this.#kept)
    this.#kept = []
    if (kept.length > 0) this.#push(kept)
  }

  #push(bytes: Uint8Array, chunk?: WrittenChunk): void {
    this.#hash.update(bytes)
    this.#uncompressedBytes += bytes.length
    this.#frames.push(bytes, chunk)
  }
}

/** Times are whole seconds here, and none where they are zero; every chunk has its digest. */
function tocEntries({ entry, digest, chunks }: LayerPiece): TocEntry[] {
  const seconds = entry.mtime.seconds
  const own: TocEntry = {
    ...tocEntryOf(entry),
    ...(seconds === 0n ? {} : { modtime: timeText({ seconds, nanoseconds: 0 }) }),
    ...(entry.type === "file" ? { digest: digest ?? EMPTY_DIGEST } : {}),
  }
  const [first, ...more] = chunks
  const last = chunks.at(-1)
  if (first === undefined || last === undefined) return [own]
  Object.assign(own, { offset: first.start, endOffset: last.end, chunkDigest: first.digest })
  if (more.length > 0) own.chunkSize = first.size
  const others = more.map((chunk): TocEntry => {
    const { start: offset, size: chunkSize, chunkOffset, digest: chunkDigest } = chunk
    return { type: "chunk", name: own.name, offset, chunkSize, chunkOffset, chunkDigest }
  })
  return [own, ...others]
}

const EMPTY_DIGEST = `sha256:${createHash("sha256").digest("hex")}`
