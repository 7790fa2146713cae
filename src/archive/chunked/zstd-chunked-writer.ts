import { createHash } from "node:crypto"
import { zstdCompressSync } from "node:zlib"
import type { FrameQueue } from "./frame-queue.ts"
import type { LayerPiece, PieceSink } from "./layer-pieces.ts"
import {
  CHUNKED_ANNOTATIONS,
  positionText,
  SKIPPABLE_HEAD_BYTES,
  skippableFrame,
  zstdChunkedFooter,
} from "./positions.ts"
import { TarSplitJsonWriter } from "./tar-split-json.ts"
import { timeText, tocEntryOf, type TocEntry, type WrittenChunk } from "./toc-entry.ts"

const MAX_RAW_BYTES = 1 << 20

/**
 * zstd:chunked as containers/storage writes it: each file's content a frame of its own, headers and padding between them in others, so
 * that together they decompress to the very archive; behind it, in frames that decompressors read over, the table of
 * contents, a tar-split and a footer.
 */
export class ZstdChunkedWriter implements PieceSink {
  readonly #frames: FrameQueue
  readonly #pieces: LayerPiece[] = []
  readonly #split = new TarSplitJsonWriter()
  #raw: Uint8Array[] = []
  #rawBytes = 0

  constructor(frames: FrameQueue) {
    this.#frames = frames
  }

  raw(bytes: Uint8Array): void {
    this.#split.raw(bytes)
    this.#raw.push(Buffer.from(bytes))
    if ((this.#rawBytes += bytes.length) > MAX_RAW_BYTES) this.#flush()
  }

  header(): void {}

  chunk(_: LayerPiece, bytes: Buffer, chunk: WrittenChunk): void {
    this.#flush()
    this.#frames.push(bytes, chunk)
  }

  end(piece: LayerPiece): void {
    this.#split.file(piece)
    this.#pieces.push(piece)
  }

  /** After the last byte of the archive: what is left of it. */
  finish(): void {
    this.#flush()
  }

  /** What follows the archive, at `offset` of the blob, and the annotations that lead to it. */
  tail(offset: number): { bytes: Uint8Array; annotations: Record<string, string> } {
    const splitBytes = this.#split.finish()
    const tocJson = Buffer.from(
      JSON.stringify({ version: 1, entries: this.#pieces.flatMap(tocEntries), tarSplitDigest: digestOf(splitBytes) }),
    )
    const tocBytes = zstdCompressSync(tocJson)
    const toc = {
      offset: offset + SKIPPABLE_HEAD_BYTES,
      length: tocBytes.length,
      uncompressedLength: tocJson.length,
    }
    const tarSplit = {
      offset: toc.offset + toc.length + SKIPPABLE_HEAD_BYTES,
      length: splitBytes.length,
      uncompressedLength: this.#split.uncompressedBytes,
    }
    const bytes = Buffer.concat([
      skippableFrame(tocBytes),
      skippableFrame(splitBytes),
      zstdChunkedFooter(toc, tarSplit),
    ])
    const annotations = {
      [CHUNKED_ANNOTATIONS.tocChecksum]: digestOf(tocBytes),
      [CHUNKED_ANNOTATIONS.tocPosition]: `${positionText(toc)}:1`,
      [CHUNKED_ANNOTATIONS.tarSplitPosition]: positionText(tarSplit),
    }
    return { bytes, annotations }
  }

  #flush(): void {
    if (this.#rawBytes === 0) return
    this.#frames.push(Buffer.concat(this.#raw))
    this.#raw = []
    this.#rawBytes = 0
  }
}

/** One line; of a file of several chunks, one for each. */
function tocEntries({ entry, digest, chunks }: LayerPiece): TocEntry[] {
  const own: TocEntry = {
    ...tocEntryOf(entry),
    modtime: timeText(entry.mtime),
    ...(entry.accessTime === undefined ? {} : { accesstime: timeText(entry.accessTime) }),
    ...(entry.changeTime === undefined ? {} : { changetime: timeText(entry.changeTime) }),
  }
  const [first, ...more] = chunks
  const last = chunks.at(-1)
  if (first === undefined || last === undefined || digest === undefined) return [own]
  Object.assign(own, { digest, offset: first.start, endOffset: last.end })
  if (more.length === 0) return [own]
  Object.assign(own, { chunkSize: first.size, chunkDigest: first.digest })
  const others = more.map((chunk): TocEntry => {
    const { start: offset, size: chunkSize, chunkOffset, digest: chunkDigest } = chunk
    return { type: "chunk", name: own.name, offset, chunkSize, chunkOffset, chunkDigest }
  })
  return [own, ...others]
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`
}
