const PT_NOTE = 4
/** elf.h, NT_GNU_ABI_TAG. */
const ABI_TAG = 1
const MAX_HEADERS = 256
const MAX_NOTE_BYTES = 64 * 1024

/** The oldest Linux that an ELF file says it runs on, `3.2.0`; undefined where it says none, or is none. Little-endian, 64 bits. */
export function linuxAbi(file: Buffer | undefined): string | undefined {
  if (file === undefined || file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return undefined
  const start = Number(file.readBigUInt64LE(32))
  const [size, count] = [file.readUInt16LE(54), file.readUInt16LE(56)]
  for (let index = 0; index < Math.min(count, MAX_HEADERS); index++) {
    const at = start + index * size
    if (size < 56 || at + 56 > file.length) return undefined
    if (file.readUInt32LE(at) !== PT_NOTE) continue
    const [offset, bytes] = [Number(file.readBigUInt64LE(at + 8)), Number(file.readBigUInt64LE(at + 32))]
    const found = inNotes(file.subarray(offset, offset + Math.min(bytes, MAX_NOTE_BYTES)))
    if (found !== undefined) return found
  }
  return undefined
}

function inNotes(notes: Buffer): string | undefined {
  for (let at = 0; at + 12 <= notes.length;) {
    const [nameBytes, bytes, type] = [notes.readUInt32LE(at), notes.readUInt32LE(at + 4), notes.readUInt32LE(at + 8)]
    const content = at + 12 + Math.ceil(nameBytes / 4) * 4
    if (content + bytes > notes.length) return undefined
    // the first word is the system: 0 is Linux
    if (
      type === ABI_TAG &&
      bytes >= 16 &&
      notes.toString("latin1", at + 12, at + 15) === "GNU" &&
      notes.readUInt32LE(content) === 0
    )
      return [4, 8, 12].map((word) => notes.readUInt32LE(content + word)).join(".")
    at = content + Math.ceil(bytes / 4) * 4
  }
  return undefined
}
