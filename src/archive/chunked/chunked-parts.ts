/**
 * The archive of a layer with a table of contents, as parts of which each can come from elsewhere. Headers and padding are the archive's
 * own bytes: of zstd:chunked they stand in its tar-split, of eStargz in the gaps between contents.
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { createHash } from "node:crypto"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss } from "../../base/errors.ts"
import { EXPANSION_LIMITS } from "../bounded-decompress.ts"
import { LAYER_LIMITS } from "../apply-layer.ts"
import { inflate } from "../compression.ts"
import { splitRecords } from "../storage-split.ts"
import { estargzTocOffset, ESTARGZ_FOOTER_BYTES, type ChunkedLayer } from "./positions.ts"
import { listToc, type ListedFile } from "./toc-files.ts"
import { MAX_TOC_BYTES, parseToc, type ChunkedContent } from "./toc-reader.ts"

/** Bytes of a blob, from `start` to before `end`. */
export interface ByteSpan {
  start: number
  end: number
}

/** One piece of the archive: bytes as they are, compressed ones of the blob that are no content, or a content. */
export type ArchivePart =
  { kind: "raw"; bytes: Uint8Array } | { kind: "packed"; span: ByteSpan } | { kind: "content"; content: ChunkedContent }

/** What is known of a layer by its table. */
export interface ChunkedParts {
  compression: "gzip" | "zstd"
  /** In the order of the archive, and of the blob. */
  contents: readonly ChunkedContent[]
  /** What is to be read of the blob in any case. */
  gaps: readonly ByteSpan[]
  /** All pieces, in order, as often as it is called. Throws DataLoss. */
  parts(): AsyncIterable<ArchivePart>
}

/** Reads a span of the blob, whole. */
export type ReadSpan = (span: ByteSpan) => Promise<Uint8Array>

/** Of a tar-split, compressed, and of a table. */
const MAX_PACKED_BYTES = 16 << 20
const MAX_SPLIT_BYTES = 512 << 20
/** Of an eStargz blob, read at once to have footer and, mostly, table by one request: a part of it, within bounds. */
const TAIL_SHARE = 1 / 64
const MIN_TAIL_BYTES = 16 * 1024
const MAX_TAIL_BYTES = 512 * 1024
/** What may lie between table and tar-split. */
const MAX_BETWEEN_BYTES = 64 * 1024

/**
 * Undefined where the table is too large, or does not say where contents end (eStargz of others): then the layer is to be fetched whole.
 * Throws DataLoss when the table is damaged or hostile.
 */
export async function chunkedParts(
  layer: ChunkedLayer,
  sizeBytes: number,
  read: ReadSpan,
): Promise<ChunkedParts | undefined> {
  const parts =
    layer.format === "zstd:chunked"
      ? await zstdParts(layer, sizeBytes, read)
      : await estargzParts(layer, sizeBytes, read)
  if (parts !== undefined) checkContents(parts.contents, sizeBytes)
  return parts
}

async function zstdParts(
  { toc, tocChecksum, tarSplit }: ChunkedLayer & { format: "zstd:chunked" },
  sizeBytes: number,
  read: ReadSpan,
): Promise<ChunkedParts | undefined> {
  if (toc.uncompressedLength > MAX_TOC_BYTES || tarSplit.uncompressedLength > MAX_SPLIT_BYTES) return undefined
  const start = Math.min(toc.offset, tarSplit.offset)
  const end = Math.max(toc.offset + toc.length, tarSplit.offset + tarSplit.length)
  if (end > sizeBytes || toc.length > MAX_PACKED_BYTES || tarSplit.length > MAX_PACKED_BYTES)
    throw new DataLoss("the layer's table of contents is said to lie outside of its blob")
  // they lie side by side
  if (end - start > toc.length + tarSplit.length + MAX_BETWEEN_BYTES) return undefined
  const both = await read({ start, end })
  const part = ({ offset, length }: typeof toc) => both.subarray(offset - start, offset - start + length)
  const [tocBytes, splitBytes] = [part(toc), part(tarSplit)]
  checkDigest(tocBytes, tocChecksum, "table of contents")
  const { contents: all, tarSplitDigest } = parseToc(unpack("zstd", tocBytes, toc.uncompressedLength), start)
  if (tarSplitDigest === undefined) return undefined
  checkDigest(splitBytes, tarSplitDigest, "tar-split")
  const records = () =>
    splitRecords(bounded(inflate("zstd", once(splitBytes)), tarSplit.uncompressedLength), "tar-split")
  const byName = new Map(all.map((content) => [content.name, content]))
  if (byName.size < all.length) throw new DataLoss("the layer's table of contents has a name twice")
  const contents: ChunkedContent[] = []
  for await (const record of records()) if (record.kind === "file") contents.push(find(byName, record))
  return {
    compression: "zstd",
    contents,
    gaps: [],
    async *parts() {
      for await (const record of records())
        yield record.kind === "raw" ? record : { kind: "content", content: find(byName, record) }
    },
  }
}

function find(
  byName: ReadonlyMap<string, ChunkedContent>,
  { path, sizeBytes }: { path: string; sizeBytes: number },
): ChunkedContent {
  const content = byName.get(path)
  if (content?.sizeBytes === sizeBytes) return content
  throw new DataLoss("the layer's table of contents and its tar-split differ")
}

async function estargzParts(
  layer: ChunkedLayer & { format: "estargz" },
  sizeBytes: number,
  read: ReadSpan,
): Promise<ChunkedParts | undefined> {
  const table = await estargzTable(layer, sizeBytes, read)
  // without an end of each content, the header behind it cannot be told from it
  if (table === undefined || !table.json.includes('"endOffset"')) return undefined
  const { contents } = parseToc(table.json, table.tocOffset)
  return estargzPieces(contents, table.tocOffset, table.file)
}

interface EstargzTable {
  json: Buffer
  /** Where the table begins in the blob. */
  tocOffset: number
  /** What the blob holds from there on, unpacked. */
  file: Buffer
}

async function estargzTable(
  { tocDigest }: ChunkedLayer & { format: "estargz" },
  sizeBytes: number,
  read: ReadSpan,
): Promise<EstargzTable | undefined> {
  const footerStart = sizeBytes - ESTARGZ_FOOTER_BYTES
  if (footerStart <= 0) return undefined
  const tailBytes = Math.min(Math.max(Math.ceil(sizeBytes * TAIL_SHARE), MIN_TAIL_BYTES), MAX_TAIL_BYTES)
  const tailStart = Math.max(0, sizeBytes - tailBytes)
  const tail = Buffer.from(await read({ start: tailStart, end: sizeBytes }))
  const tocOffset = estargzTocOffset(tail.subarray(-ESTARGZ_FOOTER_BYTES))
  if (tocOffset === undefined || tocOffset >= footerStart)
    throw new DataLoss("the layer's footer leads to no table of contents")
  if (footerStart - tocOffset > MAX_PACKED_BYTES) return undefined
  const packed =
    tocOffset >= tailStart
      ? tail.subarray(tocOffset - tailStart, -ESTARGZ_FOOTER_BYTES)
      : await read({ start: tocOffset, end: footerStart })
  const file = unpack("gzip", packed, MAX_TOC_BYTES)
  const jsonBytes = Number.parseInt(file.toString("latin1", 124, 135), 8)
  const json = file.subarray(512, 512 + jsonBytes)
  if (json.length !== jsonBytes) throw new DataLoss("the layer's table of contents is cut")
  checkDigest(json, tocDigest, "table of contents")
  return { json, tocOffset, file }
}

/**
 * What a layer's table says of its files, by one or two ranges of the blob: the manifest names the table's digest, and nobody has compared it with
 * the archive. Undefined where it is too large. Throws DataLoss when it is damaged or hostile.
 */
export async function chunkedFiles(
  layer: ChunkedLayer,
  sizeBytes: number,
  read: ReadSpan,
): Promise<ListedFile[] | undefined> {
  if (layer.format === "estargz") {
    const table = await estargzTable(layer, sizeBytes, read)
    return table && listToc(table.json)
  }
  const { toc, tocChecksum } = layer
  if (toc.uncompressedLength > MAX_TOC_BYTES || toc.length > MAX_PACKED_BYTES) return undefined
  const end = toc.offset + toc.length
  if (end > sizeBytes) throw new DataLoss("the layer's table of contents is said to lie outside of its blob")
  const packed = await read({ start: toc.offset, end })
  checkDigest(packed, tocChecksum, "table of contents")
  return listToc(unpack("zstd", packed, toc.uncompressedLength))
}

/** `tail`: what the blob holds from `end` on, unpacked. */
function estargzPieces(contents: readonly ChunkedContent[], end: number, tail: Uint8Array): ChunkedParts {
  const gaps: ByteSpan[] = []
  const parts: ArchivePart[] = []
  let at = 0
  const gapTo = (start: number): void => {
    if (start <= at) return
    gaps.push({ start: at, end: start })
    parts.push({ kind: "packed", span: { start: at, end: start } })
  }
  for (const content of contents) {
    gapTo(content.start)
    parts.push({ kind: "content", content })
    at = content.end
  }
  gapTo(end)
  parts.push({ kind: "raw", bytes: tail })
  return {
    compression: "gzip",
    contents,
    gaps,
    async *parts() {
      yield* parts
    },
  }
}

/** In the order of the blob, none over another, and together no bomb. */
function checkContents(contents: readonly ChunkedContent[], blobBytes: number): void {
  let [at, total] = [0, 0]
  for (const { start, end, sizeBytes } of contents) {
    if (start < at) throw new DataLoss("contents of the layer overlap, or are out of order")
    at = end
    total += sizeBytes
  }
  const { expansionFreeBytes, expansionRatio } = EXPANSION_LIMITS
  if (total > Math.min(LAYER_LIMITS.totalBytes, Math.max(expansionFreeBytes, blobBytes * expansionRatio)))
    throw new DataLoss(`the layer of ${blobBytes} bytes is said to hold ${total}`)
}

/** All of a small part at once. Throws DataLoss when it grows beyond `maxBytes`, or is damaged. */
export function unpack(compression: "gzip" | "zstd", packed: Uint8Array, maxBytes: number): Buffer {
  const options = { maxOutputLength: maxBytes }
  try {
    return compression === "zstd" ? zstdDecompressSync(packed, options) : gunzipSync(packed, options)
  } catch (cause) {
    throw new DataLoss(`a part of the layer is damaged, or larger than ${maxBytes} bytes`, { cause })
  }
}

function checkDigest(bytes: Uint8Array, digest: string, called: string): void {
  const [algorithm = "sha256"] = digest.split(":")
  if (`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` !== digest)
    throw new DataLoss(`the layer's ${called} is not the one that the manifest names`)
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes
}

async function* bounded(bytes: Bytes, maxBytes: number): Bytes {
  let passed = 0
  for await (const chunk of bytes) {
    if ((passed += chunk.length) > maxBytes) throw new DataLoss("the layer's tar-split is larger than is said of it")
    yield chunk
  }
}
