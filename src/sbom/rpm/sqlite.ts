/**
 * Reads one table of an SQLite file that nobody trusts (sqlite.org/fileformat2.html): plain arithmetic on its bytes, no library
 * that would run what a schema says. Damage is an end, never an error.
 */

import { MAX_HEADER_BYTES, type FileBytes } from "./file-bytes.ts"

const MAGIC = "SQLite format 3\0"
const FILE_HEADER_BYTES = 100
const [INTERIOR, LEAF] = [0x05, 0x0d]

/** A column: text or blob as its bytes, a small whole number, or undefined for what is neither. */
export type SqliteValue = Buffer | number | undefined

/** Whether a file begins as one of SQLite's does. */
export function isSqlite(file: FileBytes): boolean {
  return file.length >= FILE_HEADER_BYTES && file.subarray(0, MAGIC.length).toString("latin1") === MAGIC
}

/** The rows of table `name`, each as its columns: texts and blobs as bytes, small numbers, else undefined. */
export function* sqliteRows(file: FileBytes, name: string): Generator<SqliteValue[]> {
  if (!isSqlite(file)) return
  const pages = new Pages(file)
  // the schema: type, name, tbl_name, rootpage, sql
  for (const [type, own, , root] of pages.rows(1))
    if (textOf(type) === "table" && textOf(own) === name && typeof root === "number") yield* pages.rows(root)
}

class Pages {
  readonly #file: FileBytes
  readonly #pageBytes: number
  /** Of a page, without what extensions reserve. */
  readonly #usable: number
  /** Each page once: a damaged tree may lead in circles. */
  readonly #seen = new Set<number>()

  constructor(file: FileBytes) {
    const head = file.subarray(0, FILE_HEADER_BYTES)
    const size = head.readUInt16BE(16)
    this.#file = file
    this.#pageBytes = size === 1 ? 65_536 : size
    this.#usable = this.#pageBytes - (head[20] ?? 0)
  }

  *rows(root: number): Generator<SqliteValue[]> {
    const stack = [root]
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      const page = this.#page(number)
      if (page === undefined || this.#seen.has(number)) continue
      this.#seen.add(number)
      const start = number === 1 ? FILE_HEADER_BYTES : 0
      const [type, cells] = [page[start], page.readUInt16BE(start + 3)]
      const pointers = start + (type === INTERIOR ? 12 : 8)
      if (pointers + cells * 2 > page.length) continue
      const at = Array.from({ length: cells }, (_, index) => page.readUInt16BE(pointers + index * 2))
      if (type === INTERIOR) {
        const children = at.flatMap((offset) => (offset + 4 <= page.length ? [page.readUInt32BE(offset)] : []))
        stack.push(page.readUInt32BE(start + 8), ...children.toReversed())
      } else if (type === LEAF)
        for (const offset of at) {
          const payload = this.#payload(page, offset)
          if (payload !== undefined) yield columnsOf(payload)
        }
    }
  }

  #page(number: number): Buffer | undefined {
    const start = (number - 1) * this.#pageBytes
    const end = start + this.#pageBytes
    return number < 1 || this.#pageBytes < 512 || this.#usable < 480 || end > this.#file.length
      ? undefined
      : this.#file.subarray(start, end)
  }

  /** A row's bytes, those on overflow pages too. */
  #payload(page: Buffer, offset: number): Buffer | undefined {
    const size = varint(page, offset)
    const rowId = size && varint(page, size.end)
    if (size === undefined || rowId === undefined || size.value > MAX_HEADER_BYTES) return undefined
    const local = this.#localBytes(size.value)
    const parts = [page.subarray(rowId.end, rowId.end + local)]
    let rest = size.value - local
    const link = rowId.end + local
    let next = rest > 0 && link + 4 <= page.length ? page.readUInt32BE(link) : 0
    while (rest > 0) {
      const overflow = this.#page(next)
      if (overflow === undefined || this.#seen.has(next)) return undefined
      this.#seen.add(next)
      const part = overflow.subarray(4, Math.min(this.#usable, 4 + rest))
      parts.push(part)
      rest -= part.length
      next = overflow.readUInt32BE(0)
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  /** How much of a row lies on its own page (fileformat2, 1.6, table b-tree leaf cell). */
  #localBytes(size: number): number {
    const usable = this.#usable
    if (size <= usable - 35) return size
    const least = Math.floor(((usable - 12) * 32) / 255) - 23
    const fitted = least + ((size - least) % (usable - 4))
    return fitted <= usable - 35 ? fitted : least
  }
}

/** fileformat2, 2.1: a header of types, then the values. */
function columnsOf(payload: Buffer): SqliteValue[] {
  const header = varint(payload, 0)
  if (header === undefined || header.value > payload.length) return []
  const columns: SqliteValue[] = []
  let at = header.value
  for (let type = varint(payload, header.end); type !== undefined && type.end <= header.value;) {
    const bytes = valueBytes(type.value)
    const value = payload.subarray(at, at + bytes)
    at += bytes
    columns.push(type.value >= 12 ? value : numberOf(type.value, value))
    type = type.end < header.value ? varint(payload, type.end) : undefined
  }
  return columns
}

function valueBytes(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0
}

function numberOf(type: number, value: Buffer): number | undefined {
  if (type === 8 || type === 9) return type - 8
  return type >= 1 && type <= 5 && value.length > 0 ? value.readIntBE(0, value.length) : undefined
}

function varint(bytes: Buffer, offset: number): { value: number; end: number } | undefined {
  let value = 0
  for (let index = 0; index < 8; index++) {
    const byte = bytes[offset + index]
    if (byte === undefined) return undefined
    value = value * 128 + (byte & 0x7f)
    // larger ones are of no file that is read
    if (value > Number.MAX_SAFE_INTEGER) return undefined
    if (byte < 0x80) return { value, end: offset + index + 1 }
  }
  return undefined
}

function textOf(value: SqliteValue): string | undefined {
  return Buffer.isBuffer(value) ? value.toString("utf8") : undefined
}
