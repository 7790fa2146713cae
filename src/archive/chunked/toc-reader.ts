import { DataLoss } from "../../base/errors.ts"
import { isDigest, type Digest } from "../../spec/digest.ts"
import { TAR_LIMITS } from "../tar-entry.ts"

/** Of a table, uncompressed: a hundred thousand files. Layers with more of it are fetched whole. */
export const MAX_TOC_BYTES = 32 << 20

/** The content of one file, and where its compressed bytes are in the blob. */
export interface ChunkedContent {
  /** Raw. */
  name: string
  sizeBytes: number
  digest: Digest
  start: number
  end: number
}

/** What a table tells of contents, in its own order: all of it a stranger's word, until the archive has been put together and checked. */
export interface ChunkedToc {
  contents: ChunkedContent[]
  /** Of the tar-split beside it. */
  tarSplitDigest?: Digest
}

/**
 * Reads the files that have a content; `dataEnd` is where all contents must end. Everything else that a table says is not looked at: names, owners and
 * links come from the archive's own headers. Throws DataLoss for what cannot be.
 */
export function parseToc(json: Uint8Array, dataEnd: number): ChunkedToc {
  if (json.length > MAX_TOC_BYTES) throw damaged(`has ${json.length} bytes`)
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString())
  } catch (cause) {
    throw damaged("is not JSON", cause)
  }
  const { entries, tarSplitDigest } = (isRecord(document) ? document : {}) as Record<string, unknown>
  if (!Array.isArray(entries)) throw damaged("has no entries")
  const contents: ChunkedContent[] = []
  for (const entry of entries as unknown[]) {
    if (!isRecord(entry)) throw damaged("has an entry that is none")
    if (entry.type === "reg" && entry.size !== undefined && entry.size !== 0) contents.push(contentOf(entry, dataEnd))
  }
  return { contents, ...(isDigest(tarSplitDigest) ? { tarSplitDigest } : {}) }
}

function contentOf(entry: Record<string, unknown>, dataEnd: number): ChunkedContent {
  const { name, size, digest, offset, endOffset } = entry
  if (typeof name !== "string" || name.length === 0 || name.length > TAR_LIMITS.nameBytes)
    throw damaged("has an entry without a name")
  const [sizeBytes, start, end] = [size, offset, endOffset].map(count)
  if (sizeBytes === undefined || start === undefined || end === undefined || start >= end || end > dataEnd)
    throw damaged("has a content outside of its blob")
  if (!isDigest(digest) || !digest.startsWith("sha256:")) throw damaged("has a content without a digest")
  return { name: Buffer.from(name).toString("latin1"), sizeBytes, digest, start, end }
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function damaged(what: string, cause?: unknown): DataLoss {
  return new DataLoss(`the layer's table of contents ${what}`, { cause })
}
