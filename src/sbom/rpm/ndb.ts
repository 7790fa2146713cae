/**
 * rpm's own database, `Packages.db`: SUSE's form (rpm's lib/backend/ndb/rpmpkg.c). A header of 32 bytes, slots of 16 up to the end
 * of the pages that it counts, and blobs in blocks of 16 bytes, each behind a head of 16. All numbers are little-endian.
 */
import { MAX_HEADER_BYTES, type FileBytes } from "./file-bytes.ts"

const MAGIC = "RpmP"
const SLOT_MAGIC = "Slot"
const BLOB_MAGIC = "BlbS"
const VERSION = 0
const [HEADER_BYTES, SLOT_BYTES, BLOCK_BYTES, BLOB_HEAD_BYTES, PAGE_BYTES] = [32, 16, 16, 16, 4096]

/** Whether a file begins as such a database does. */
export function isNdb(file: FileBytes): boolean {
  return file.length >= HEADER_BYTES && magicAt(file, 0) === MAGIC && u32(file, 4) === VERSION
}

/** The blobs that slots name, in the order of the slots; undefined for one that is damaged. */
export function* ndbBlobs(file: FileBytes): Generator<Buffer | undefined> {
  if (!isNdb(file)) return
  const end = Math.min(u32(file, 12) * PAGE_BYTES, file.length)
  for (let at = HEADER_BYTES; at + SLOT_BYTES <= end; at += SLOT_BYTES) {
    if (magicAt(file, at) !== SLOT_MAGIC) return yield undefined
    const index = u32(file, at + 4)
    // nothing is in it, or no longer
    if (index !== 0) yield blobAt(file, index, u32(file, at + 8) * BLOCK_BYTES)
  }
}

function blobAt(file: FileBytes, index: number, at: number): Buffer | undefined {
  const start = at + BLOB_HEAD_BYTES
  if (start > file.length || magicAt(file, at) !== BLOB_MAGIC || u32(file, at + 4) !== index) return undefined
  const length = u32(file, at + 12)
  const end = start + length
  return length <= MAX_HEADER_BYTES && end <= file.length ? file.subarray(start, end) : undefined
}

function magicAt(file: FileBytes, at: number): string {
  return file.subarray(at, at + 4).toString("latin1")
}

function u32(file: FileBytes, at: number): number {
  return file.subarray(at, at + 4).readUInt32LE()
}
