import { gzip, gzipSync, zstdCompress, zstdCompressSync, constants } from "node:zlib"
import { promisify } from "node:util"
import type { Bytes } from "../../base/bytes.ts"
import { TimeSlice } from "../../base/time-slice.ts"
import type { DiffId } from "../../spec/digest.ts"
import { GZIP_LEVEL } from "../compression.ts"
import { TarReader } from "../tar-reader.ts"
import { EstargzWriter } from "./estargz-writer.ts"
import { FrameQueue, type CompressPiece } from "./frame-queue.ts"
import { LayerPieces } from "./layer-pieces.ts"
import { ZstdChunkedWriter } from "./zstd-chunked-writer.ts"

/** The forms of a layer with a table of contents. */
export type ChunkedFormat = "zstd:chunked" | "estargz"

/** What is known when the last byte has been read. */
export interface ChunkedMade {
  /** Of the layer's descriptor. */
  annotations: Record<string, string>
  /** Of the archive, where the format has made another one of it. */
  diffId?: DiffId
}

/** Bytes for which another thread costs more than it saves. */
const SMALL_BYTES = 16 * 1024
/** Of a chunk, read without a look at the time. */
const PIECE_BYTES = 128 * 1024

/**
 * A layer (plain tar) in a form whose files can be fetched one by one; `onEnd` is told how. The same bytes give the same bytes, as with
 * `compress`. Throws Unsupported where the layer has what a table of contents cannot tell: it can travel without one.
 */
export async function* chunkLayer(
  tar: Bytes,
  format: ChunkedFormat,
  { level, onEnd }: { level?: number | undefined; onEnd: (made: ChunkedMade) => void },
): Bytes {
  const frames = new FrameQueue(format === "estargz" ? gzipPiece(level) : zstdPiece(level))
  const writer = format === "estargz" ? new EstargzWriter(frames, level ?? GZIP_LEVEL) : new ZstdChunkedWriter(frames)
  const reader = new TarReader(new LayerPieces(writer))
  const slice = new TimeSlice()
  for await (const chunk of tar)
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      reader.write(chunk.subarray(at, at + PIECE_BYTES))
      yield* frames.take()
      if (slice.isOver) await slice.giveWay()
    }
  reader.finish()
  writer.finish()
  yield* frames.take({ all: true })
  const { bytes, ...made } = writer.tail(frames.offset)
  yield bytes
  onEnd(made as ChunkedMade)
}

function zstdPiece(level: number | undefined): CompressPiece {
  const options = level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } }
  const compress = promisify(zstdCompress)
  return (bytes) => (bytes.length > SMALL_BYTES ? compress(bytes, options) : zstdCompressSync(bytes, options))
}

function gzipPiece(level = GZIP_LEVEL): CompressPiece {
  const compress = promisify(gzip)
  return (bytes) => (bytes.length > SMALL_BYTES ? compress(bytes, { level }) : gzipSync(bytes, { level }))
}
