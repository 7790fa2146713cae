import { closeSync, openSync, readSync } from "node:fs"

const PT_INTERP = 3
const MAX_HEADERS = 128

/** Whether `path` is an ELF program (64 bits, little endian) that runs with no library: without PT_INTERP (elf(5)). */
export function isStaticBinary(path: string): boolean {
  let fd: number
  try {
    fd = openSync(path, "r")
  } catch {
    return false
  }
  try {
    const file = Buffer.alloc(64)
    if (readSync(fd, file, 0, 64, 0) < 64 || !file.subarray(0, 6).equals(ELF64_LITTLE)) return false
    const [offset, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
    if (size < 4 || count === 0 || count > MAX_HEADERS) return false
    const headers = Buffer.alloc(size * count)
    if (readSync(fd, headers, 0, headers.length, offset) < headers.length) return false
    return !Array.from({ length: count }, (_, index) => headers.readUInt32LE(index * size)).includes(PT_INTERP)
  } finally {
    closeSync(fd)
  }
}

const ELF64_LITTLE = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
