import type { RandomFile } from "../file-tree.ts"

/** The linker makes some forty. */
const MAX_SECTIONS = 4096
const MAX_NAMES = 1024 * 1024
const MAX_NAME = 64

/** A part of a program's file, and where it lies in its memory. */
export interface ElfSection {
  name: string
  address: number
  offset: number
  size: number
}

/** What of an ELF file is looked at (System V ABI, ch. 4): its sections; undefined for what is none. */
export function elfSections(file: RandomFile): { sections: ElfSection[]; isBig: boolean; isWide: boolean } | undefined {
  const head = file.read(0, 64)
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return undefined
  const [isWide, isBig] = [head[4] === 2, head[5] === 2]
  const half = (bytes: Buffer, at: number): number => (isBig ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at))
  const word = (bytes: Buffer, at: number): number => (isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))
  const long = (bytes: Buffer, at: number): number =>
    Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at))
  const start = isWide ? long(head, 40) : word(head, 32)
  const [entryBytes, count, names] = isWide
    ? [half(head, 58), half(head, 60), half(head, 62)]
    : [half(head, 46), half(head, 48), half(head, 50)]
  if (entryBytes < (isWide ? 64 : 40) || count === 0 || count > MAX_SECTIONS) return undefined
  const table = file.read(start, entryBytes * count)
  const raw = []
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes)
    raw.push(
      isWide
        ? {
            name: word(table, at),
            address: long(table, at + 16),
            offset: long(table, at + 24),
            size: long(table, at + 32),
          }
        : {
            name: word(table, at),
            address: word(table, at + 12),
            offset: word(table, at + 16),
            size: word(table, at + 20),
          },
    )
  const strings = raw[names]
  if (strings === undefined || strings.size > MAX_NAMES) return undefined
  const texts = file.read(strings.offset, strings.size)
  const sections = raw.map((section) => Object.assign(section, { name: nameAt(texts, section.name) }))
  return { sections, isBig, isWide }
}

function nameAt(texts: Buffer, at: number): string {
  // many sections with one long name would each go through all of it
  const text = texts.subarray(at, at + MAX_NAME)
  const end = text.indexOf(0)
  return text.toString("latin1", 0, end < 0 ? text.length : end)
}
