/** Where the parts of a layer are that tell of the others: what annotations of its descriptor say, and the ends of the blobs. */
import { crc32 } from "node:zlib"
import { isDigest, type Digest } from "../../spec/digest.ts"

/** Annotations of zstd:chunked layers (containers/storage pkg/chunked/internal/minimal) and of eStargz ones (its specification). */
export const CHUNKED_ANNOTATIONS = {
  tocChecksum: "io.github.containers.zstd-chunked.manifest-checksum",
  tocPosition: "io.github.containers.zstd-chunked.manifest-position",
  tarSplitPosition: "io.github.containers.zstd-chunked.tarsplit-position",
  estargzTocDigest: "containerd.io/snapshot/stargz/toc.digest",
  estargzUncompressedSize: "io.containers.estargz.uncompressed-size",
} as const

/** Compressed bytes in a blob, and what they grow to. */
export interface PartPosition {
  offset: number
  length: number
  uncompressedLength: number
}

/** What the annotations of a layer say of its table of contents. */
export type ChunkedLayer =
  | { format: "zstd:chunked"; toc: PartPosition; tocChecksum: Digest; tarSplit: PartPosition }
  | { format: "estargz"; tocDigest: Digest }

/** Undefined for a layer without a table, or with annotations that make no sense: it is a layer in any case. */
export function chunkedLayer(annotations: Readonly<Record<string, string>> | undefined): ChunkedLayer | undefined {
  if (annotations === undefined) return undefined
  const { tocChecksum, tocPosition, tarSplitPosition, estargzTocDigest } = CHUNKED_ANNOTATIONS
  const [toc, tarSplit] = [position(annotations[tocPosition], ":1"), position(annotations[tarSplitPosition], "")]
  const checksum = annotations[tocChecksum]
  if (toc !== undefined && tarSplit !== undefined && isDigest(checksum))
    return { format: "zstd:chunked", toc, tocChecksum: checksum, tarSplit }
  const tocDigest = annotations[estargzTocDigest]
  return isDigest(tocDigest) ? { format: "estargz", tocDigest } : undefined
}

/** `OFFSET:LENGTH:UNCOMPRESSED`, and for a table its type, which is 1. */
function position(text: string | undefined, type: "" | ":1"): PartPosition | undefined {
  const parts = /^(\d{1,15}):(\d{1,15}):(\d{1,15})(:1)?$/.exec(text ?? "")
  if (parts === null || (parts[4] ?? "") !== type) return undefined
  return { offset: Number(parts[1]), length: Number(parts[2]), uncompressedLength: Number(parts[3]) }
}

/** As the annotations have it. */
export function positionText({ offset, length, uncompressedLength }: PartPosition): string {
  return `${offset}:${length}:${uncompressedLength}`
}

/** RFC 8878, 3.1.2: what decompressors read over. */
export function skippableFrame(data: Uint8Array): Buffer {
  const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data])
}

/** Of such a frame. */
export const SKIPPABLE_HEAD_BYTES = 8

const ZSTD_CHUNKED_MAGIC = "GNUlInUx"
const TABLE_TYPE = 1

/** The last frame of a zstd:chunked blob. */
export function zstdChunkedFooter(toc: PartPosition, tarSplit: PartPosition): Buffer {
  const { offset, length, uncompressedLength } = toc
  const numbers = [offset, length, uncompressedLength, TABLE_TYPE]
  const all = [...numbers, tarSplit.offset, tarSplit.length, tarSplit.uncompressedLength]
  const footer = Buffer.alloc(64)
  all.forEach((number, index) => footer.writeBigUInt64LE(BigInt(number), index * 8))
  footer.write(ZSTD_CHUNKED_MAGIC, 56, "latin1")
  return skippableFrame(footer)
}

/** Of an eStargz blob. */
export const ESTARGZ_FOOTER_BYTES = 51

/** eStargz specification, #footer: an empty gzip stream, whose extra field says where the table begins. */
export function estargzFooter(tocOffset: number): Buffer {
  const extra = Buffer.from(`SG\x16\x00${tocOffset.toString(16).padStart(16, "0")}STARGZ`, "latin1")
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0])
  const tail = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0])
  tail.writeUInt32LE(crc32(Buffer.alloc(0)), 5)
  return Buffer.concat([head, extra, tail])
}

/** Where the table begins, by the last bytes of a blob; undefined when they are no footer. */
export function estargzTocOffset(footer: Buffer): number | undefined {
  if (footer.length !== ESTARGZ_FOOTER_BYTES) return undefined
  const offset = Number.parseInt(footer.toString("latin1", 16, 32), 16)
  return Number.isSafeInteger(offset) && offset >= 0 && estargzFooter(offset).equals(footer) ? offset : undefined
}
