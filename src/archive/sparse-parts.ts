/** Files with holes, for a writer of tar: which parts hold data, and pax form 1.0 of them (tar manual, D.2). */
import { libc } from "../sys/libc.ts"
import type { SparsePart } from "./sparse.ts"
import { BLOCK_BYTES } from "./tar-entry.ts"

const SEEK_DATA = 3
const SEEK_HOLE = 4
/** What a reader takes (TAR_LIMITS.sparseParts), and what it costs to say a hole. */
const MOST_PARTS = 16_384
const SMALLEST_HOLE = 4096

/** The parts of an open file that hold data, in their order. Its offset is moved. Undefined where it has no holes worth a word. */
export function dataParts(fd: number, sizeBytes: number): SparsePart[] | undefined {
  let parts: SparsePart[] = []
  let smallest = SMALLEST_HOLE
  for (let at = 0; at < sizeBytes;) {
    const start = Number(libc.lseek(fd, at, SEEK_DATA))
    if (start < 0) break // ENXIO: only a hole is left
    const end = Math.min(Number(libc.lseek(fd, start, SEEK_HOLE)), sizeBytes)
    if (end <= start) break // cut short meanwhile
    append(parts, { offset: start, length: end - start }, smallest)
    at = end
    if (parts.length <= MOST_PARTS) continue
    // so many that only the larger holes are kept
    smallest *= 4
    const all = parts
    parts = []
    for (const part of all) append(parts, part, smallest)
  }
  const data = parts.reduce((sum, { length }) => sum + length, 0)
  return sizeBytes - data < SMALLEST_HOLE ? undefined : parts
}

function append(parts: SparsePart[], part: SparsePart, smallestHole: number): void {
  const last = parts.at(-1)
  if (last !== undefined && part.offset - last.offset - last.length < smallestHole)
    last.length = part.offset + part.length - last.offset
  else parts.push({ ...part })
}

/**
 * What stands before the data: the numbers of parts, offsets and lengths, a line each, in whole blocks. GNU tar makes the file no longer
 * than its last part: one of no length says where it ends.
 */
export function sparseMap(parts: readonly SparsePart[], sizeBytes: number): Buffer {
  const last = parts.at(-1)
  const reachesEnd = last !== undefined && last.offset + last.length === sizeBytes
  const all = reachesEnd ? parts : [...parts, { offset: sizeBytes, length: 0 }]
  const lines = [all.length, ...all.flatMap(({ offset, length }) => [offset, length])]
  const text = Buffer.from(`${lines.join("\n")}\n`)
  return Buffer.concat([text, Buffer.alloc((BLOCK_BYTES - (text.length % BLOCK_BYTES)) % BLOCK_BYTES)])
}

/** The pax records of such a file; the name of its header is of no file then, as readers of old would write the map into it. */
export function sparseRecords(name: string, sizeBytes: number): Record<string, string> {
  return {
    "GNU.sparse.major": "1",
    "GNU.sparse.minor": "0",
    "GNU.sparse.name": name,
    "GNU.sparse.realsize": String(sizeBytes),
  }
}

/** GNU tar's, with a number that says nothing: the bytes are a function of the tree alone. */
export function sparseHeaderName(name: string): string {
  const cut = name.lastIndexOf("/") + 1
  return `${name.slice(0, cut)}GNUSparseFile.0/${name.slice(cut)}`
}
