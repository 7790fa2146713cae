/**
 * A hash database of Berkeley DB's, `Packages`: rpm's form until 4.16 (db's dbinc/db_page.h). Pages of one size, in the byte order of
 * the machine that made it; the first says which. Of a hash page each odd item is a value: there itself, or in a chain of
 * overflow pages. Buckets and their order do not matter to who reads all.
 */
import { MAX_HEADER_BYTES, type FileBytes } from "./file-bytes.ts"

const HASH_MAGIC = 0x06_15_61
const [META_MAGIC_AT, META_PAGE_BYTES_AT, META_ENCRYPTION_AT] = [12, 20, 24]
const META_BYTES = 72
const PAGE_HEADER_BYTES = 26
const [MIN_PAGE_BYTES, MAX_PAGE_BYTES] = [512, 65_536]
/** Of pages: hash without order (before 4.6), overflow, hash. */
const [HASH_UNSORTED, OVERFLOW, HASH] = [2, 7, 13]
/** Of items: a value that is there, a value in overflow pages (type, 3 unused, page u32, bytes u32). */
const [KEY_DATA, OFF_PAGE] = [1, 3]
const OFF_PAGE_BYTES = 12
/** A key is the number of a package; the value of number 0 is the highest number so far. */
const KEY_BYTES = 4

/** Whether a file begins as such a database does. */
export function isBerkeleyHash(file: FileBytes): boolean {
  return orderOf(file) !== undefined
}

/** The values of a database, without that of number 0; undefined for one that is damaged. */
export function* berkeleyBlobs(file: FileBytes): Generator<Buffer | undefined> {
  const order = orderOf(file)
  if (order === undefined) return
  const pages = new Pages(file, order)
  for (let number = 1; number < pages.count; number++) yield* pages.values(number)
}

type Order = "LE" | "BE"

function orderOf(file: FileBytes): Order | undefined {
  const meta = file.subarray(0, META_BYTES)
  if (meta.length < META_BYTES || meta[META_ENCRYPTION_AT] !== 0) return undefined
  if (meta.readUInt32LE(META_MAGIC_AT) === HASH_MAGIC) return "LE"
  return meta.readUInt32BE(META_MAGIC_AT) === HASH_MAGIC ? "BE" : undefined
}

class Pages {
  readonly count: number
  readonly #file: FileBytes
  readonly #order: Order
  readonly #pageBytes: number
  /** Each once: a damaged chain may lead in circles, or be that of many. */
  readonly #seen = new Set<number>()

  constructor(file: FileBytes, order: Order) {
    this.#file = file
    this.#order = order
    this.#pageBytes = this.#u32(file.subarray(0, META_BYTES), META_PAGE_BYTES_AT)
    const isSize = this.#pageBytes >= MIN_PAGE_BYTES && this.#pageBytes <= MAX_PAGE_BYTES
    this.count = isSize ? Math.floor(file.length / this.#pageBytes) : 0
  }

  *values(number: number): Generator<Buffer | undefined> {
    const page = this.#page(number)
    const type = page[25]
    if (type !== HASH && type !== HASH_UNSORTED) return
    const entries = this.#u16(page, 20)
    if (PAGE_HEADER_BYTES + entries * 2 > page.length) return yield undefined
    for (let index = 1; index < entries; index += 2) {
      const key = this.#item(page, index - 1)
      if (key?.length === 1 + KEY_BYTES && key.readUInt32LE(1) === 0) continue
      const value = this.#item(page, index)
      yield value === undefined ? undefined : this.#valueOf(value)
    }
  }

  /** From its offset up to where the one before it begins: they are laid down from the end of the page. */
  #item(page: Buffer, index: number): Buffer | undefined {
    const start = this.#u16(page, PAGE_HEADER_BYTES + index * 2)
    const end = index === 0 ? page.length : this.#u16(page, PAGE_HEADER_BYTES + (index - 1) * 2)
    return start >= PAGE_HEADER_BYTES && start < end && end <= page.length ? page.subarray(start, end) : undefined
  }

  #valueOf(item: Buffer): Buffer | undefined {
    if (item[0] === KEY_DATA) return item.subarray(1)
    if (item[0] !== OFF_PAGE || item.length < OFF_PAGE_BYTES) return undefined
    let left = this.#u32(item, 8)
    if (left > MAX_HEADER_BYTES) return undefined
    const parts: Buffer[] = []
    for (let next = this.#u32(item, 4); left > 0;) {
      if (next === 0 || next >= this.count || this.#seen.has(next)) return undefined
      this.#seen.add(next)
      const page = this.#page(next)
      // of an overflow page the free offset is how many bytes it has
      const bytes = Math.min(this.#u16(page, 22), page.length - PAGE_HEADER_BYTES, left)
      if (page[25] !== OVERFLOW || bytes === 0) return undefined
      parts.push(page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + bytes))
      left -= bytes
      next = this.#u32(page, 16)
    }
    return Buffer.concat(parts)
  }

  #page(number: number): Buffer {
    return this.#file.subarray(number * this.#pageBytes, (number + 1) * this.#pageBytes)
  }

  #u16(bytes: Buffer, at: number): number {
    return this.#order === "LE" ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  #u32(bytes: Buffer, at: number): number {
    return this.#order === "LE" ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }
}
