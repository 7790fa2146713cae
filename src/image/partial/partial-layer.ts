/**
 * A layer of which only those contents are fetched that no layer here has, by its table of contents. What comes out is the layer's plain
 * archive, to be extracted and checked against the diff id as any other: a table that says what is not true makes an archive
 * with another digest.
 */
import { createHash } from "node:crypto"
import {
  chunkedLayer,
  chunkedParts,
  inflate,
  unpack,
  type ChunkedContent,
  type ChunkedParts,
} from "../../archive/archive.ts"
import { DataLoss } from "../../base/errors.ts"
import type { Bytes, Lease } from "../../content/content.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { ImageSource } from "../image.ts"
import type { Reference } from "../reference.ts"
import { LocalContents } from "./local-contents.ts"
import { mergeSpans, spanBytes } from "./merge-spans.ts"
import { SpanReader } from "./span-reader.ts"

/** Which layer of which source. */
export interface PartialLayerOptions {
  source: ImageSource
  ref: Reference
  layer: Descriptor
  snapshots: Snapshotter
  /** Holds the layers whose files are copied. */
  lease: Lease
  signal: AbortSignal
  /** Of the bytes that are fetched. */
  onFetched(bytes: number): void
}

/** A layer that is worth to be fetched in parts. */
export interface PartialLayer extends AsyncDisposable {
  /** The bytes of the blob that are fetched, with its table. */
  fetchedBytes: number
  /** Of contents that are here. */
  reusedBytes: number
  /** The archive, once. Throws DataLoss where a part is not what the table says, Unavailable. */
  tar(): Bytes
}

/** Smaller ones come by one request as fast. */
const MIN_LAYER_BYTES = 128 * 1024
/** With more than this to fetch, the layer comes whole: by one request, and its blob is kept. */
const MAX_FETCHED_SHARE = 0.8
/** Compressed; such contents are unpacked at once. */
const SMALL_BYTES = 1 << 20
/** Between two contents of an eStargz: headers of directories and links. */
const MAX_GAP_UNPACKED = 256 << 20

/** Undefined where it is to be fetched whole. Throws DataLoss for a table that is damaged, and what the source throws. */
export async function partialLayer(options: PartialLayerOptions): Promise<PartialLayer | undefined> {
  const { source, ref, layer, snapshots, lease, signal } = options
  const chunked = chunkedLayer(layer.annotations)
  const fetchRange = source.fetchRange?.bind(source)
  if (chunked === undefined || fetchRange === undefined || layer.size < MIN_LAYER_BYTES) return undefined
  // an empty store has nothing to take contents from, and need not ask for a table
  if (!snapshots.list().some(({ kind }) => kind === "committed")) return undefined
  let tableBytes = 0
  let hasRanges = true
  const open = async (span: { start: number; end: number }): Promise<Bytes> => {
    const bytes = await fetchRange(ref, layer, span)
    if (bytes !== undefined) return bytes
    hasRanges = false
    throw new DataLoss("the registry gives whole blobs alone")
  }
  const parts = await chunkedParts(chunked, layer.size, async (span) => {
    tableBytes += span.end - span.start
    return await gathered(await open(span), span.end - span.start)
  }).catch((error: unknown) => {
    if (hasRanges) throw error
    return undefined
  })
  if (parts === undefined) return undefined
  await using undo = new AsyncDisposableStack()
  const local = undo.use(await LocalContents.open(snapshots, parts.contents, signal))
  const missing = parts.contents.filter((content) => !local.has(content))
  const spans = mergeSpans([...missing, ...parts.gaps].toSorted((a, b) => a.start - b.start))
  const fetchedBytes = spanBytes(spans) + tableBytes
  if (fetchedBytes > layer.size * MAX_FETCHED_SHARE) return undefined
  for (const chainId of local.chainIds) lease.addSnapshot(chainId)
  const reader = undo.use(new SpanReader(spans, open, options.onFetched, signal))
  const owned = undo.move()
  return {
    fetchedBytes,
    reusedBytes: sizeOf(parts.contents) - sizeOf(missing),
    tar: () => tarOf(parts, local, reader),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function sizeOf(contents: readonly ChunkedContent[]): number {
  return contents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

async function* tarOf({ compression, parts }: ChunkedParts, local: LocalContents, reader: SpanReader): Bytes {
  for await (const part of parts()) {
    if (part.kind === "raw") yield part.bytes
    else if (part.kind === "packed") yield* upTo(inflate(compression, reader.take(part.span)), MAX_GAP_UNPACKED)
    else if (local.has(part.content)) yield* local.read(part.content)
    else yield* fetched(compression, part.content, reader)
  }
}

/** A content from the registry. Throws DataLoss unless it is what the table says. */
async function* fetched(compression: "gzip" | "zstd", content: ChunkedContent, reader: SpanReader): Bytes {
  const { start, end, sizeBytes, digest } = content
  const hash = createHash("sha256")
  const packed = reader.take(content)
  const bytes =
    end - start <= SMALL_BYTES && sizeBytes <= 4 * SMALL_BYTES
      ? once(unpack(compression, await gathered(packed, end - start), sizeBytes))
      : inflate(compression, packed)
  let passed = 0
  for await (const chunk of upTo(bytes, sizeBytes)) {
    hash.update(chunk)
    passed += chunk.length
    yield chunk
  }
  if (passed === sizeBytes && `sha256:${hash.digest("hex")}` === digest) return
  throw new DataLoss("a content of the layer is not the one that its table of contents names")
}

async function* upTo(bytes: Bytes, maxBytes: number): Bytes {
  let passed = 0
  for await (const chunk of bytes) {
    if ((passed += chunk.length) > maxBytes) throw new DataLoss("a part of the layer is larger than is said of it")
    yield chunk
  }
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes
}

/** Throws DataLoss beyond `size`, which is small. */
async function gathered(bytes: Bytes, size: number): Promise<Buffer> {
  const all = Buffer.allocUnsafe(size)
  let at = 0
  for await (const chunk of bytes) {
    if (at + chunk.length > size) throw new DataLoss("a part of the layer is larger than was asked for")
    all.set(chunk, at)
    at += chunk.length
  }
  return all.subarray(0, at)
}
