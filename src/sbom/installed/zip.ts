import { inflateRawSync } from "node:zlib"
import type { RandomFile } from "../file-tree.ts"

const MAX_DIRECTORY = 64 * 1024 ** 2
const MAX_ENTRIES = 200_000
const END_BYTES = 22
const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50]

/** A file in a ZIP archive (APPNOTE.TXT, 4.3.12). */
export interface ZipEntry {
  name: string
  /** As the directory says; not to be believed. */
  sizeBytes: number
  packedBytes: number
  method: number
  localOffset: number
}

/** Its directory; undefined for what is no archive. Archives of more than 4 GB are none to us. */
export function zipEntries(file: RandomFile): ZipEntry[] | undefined {
  const tailAt = Math.max(0, file.sizeBytes - END_BYTES - 65_535)
  const tail = file.read(tailAt, file.sizeBytes - tailAt)
  let at = tail.length - END_BYTES
  while (at >= 0 && tail.readUInt32LE(at) !== END) at--
  if (at < 0) return undefined
  const [size, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  if (size > MAX_DIRECTORY) return undefined
  // what stands before the archive, as a script that starts it, moves all of it
  const start = tailAt + at - size
  const shift = start >= offset ? start - offset : 0
  const directory = file.read(offset + shift, size)
  const entries: ZipEntry[] = []
  for (let next = 0; next + 46 <= directory.length && entries.length < MAX_ENTRIES;) {
    if (directory.readUInt32LE(next) !== ENTRY) break
    const nameBytes = directory.readUInt16LE(next + 28)
    entries.push({
      name: directory.toString("utf8", next + 46, next + 46 + Math.min(nameBytes, 1024)),
      method: directory.readUInt16LE(next + 10),
      packedBytes: directory.readUInt32LE(next + 20),
      sizeBytes: directory.readUInt32LE(next + 24),
      localOffset: directory.readUInt32LE(next + 42) + shift,
    })
    next += 46 + nameBytes + directory.readUInt16LE(next + 30) + directory.readUInt16LE(next + 32)
  }
  return entries
}

/** The bytes of a file in it; undefined when it has more than `maxBytes`, is encrypted or damaged. */
export function unzip(file: RandomFile, entry: ZipEntry, maxBytes: number): Buffer | undefined {
  if (entry.packedBytes > maxBytes) return undefined
  const head = file.read(entry.localOffset, 30)
  if (head.length < 30 || head.readUInt32LE(0) !== LOCAL || (head.readUInt16LE(6) & 1) !== 0) return undefined
  const start = entry.localOffset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28)
  const packed = file.read(start, entry.packedBytes)
  if (entry.method === 0) return packed
  if (entry.method !== 8) return undefined
  try {
    return inflateRawSync(packed, { maxOutputLength: maxBytes })
  } catch {
    return undefined
  }
}
