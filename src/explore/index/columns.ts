import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import { randomHex } from "../../base/random-hex.ts"
import { FLAG } from "./format.ts"

/** What is asked of a name only when its record is written. */
export const COLD = {
  digest: 0, // 32 bytes
  dataOffset: 32, // float
  mtime: 40, // float
  sizeBytes: 48, // float
  uid: 56, // 32 bits
  gid: 60, // 32 bits
  extraOffset: 64, // 32 bits
  extraUnits: 68, // 16 bits: bytes in units of 8
  mode: 70, // 16 bits
} as const
const COLD_BYTES = 72
const PAGE_RECORDS = 1024
const PAGE_BYTES = PAGE_RECORDS * COLD_BYTES
/** 4.5 MB: more lie in a file, which the layers of most images never need. */
const MAX_PAGES = 64

/**
 * What is known of each name of a layer while it is read: by columns, as two million objects would not fit, and what no order depends on in
 * pages, of which few are in memory.
 */
export class Columns implements Disposable {
  count = 0
  /** Its directory; once names are sorted, how many names a directory has. */
  parent = new Uint32Array(1024)
  nameOffset = new Uint32Array(1024)
  nameBytes = new Uint16Array(1024)
  type = new Uint8Array(1024)
  flags = new Uint8Array(1024)
  /** When its header came, 0: none has; once names are sorted, how many are below it. */
  turn = new Uint32Array(1024)
  /** Its own bytes; summed up with those of all below it when records are written. */
  bytes = new Float64Array(1024)
  readonly cold: ColdPages

  constructor(scratch: string) {
    this.cold = new ColdPages(scratch)
  }

  /** One more name; gives its number. */
  add(): number {
    if (this.count === this.parent.length) this.#grow()
    return this.count++
  }

  /** What a header said of `from` is said of `to`. */
  copyHeader(from: number, to: number): void {
    this.type[to] = this.type[from] ?? 0
    this.turn[to] = this.turn[from] ?? 0
    this.bytes[to] = this.bytes[from] ?? 0
    // of a directory, whatever its header says
    this.flags[to] = ((this.flags[to] ?? 0) & FLAG.opaque) | ((this.flags[from] ?? 0) & ~FLAG.opaque)
    this.cold.write(to, this.cold.copyOf(from))
  }

  /** Gives the memory back at once, which a collection may take its time with. */
  [Symbol.dispose](): void {
    for (const column of [this.parent, this.nameOffset, this.nameBytes, this.type, this.flags, this.turn, this.bytes])
      free(column)
    this.cold[Symbol.dispose]()
  }

  #grow(): void {
    this.parent = wide(this.parent)
    this.nameOffset = wide(this.nameOffset)
    this.nameBytes = wide(this.nameBytes)
    this.type = wide(this.type)
    this.flags = wide(this.flags)
    this.turn = wide(this.turn)
    this.bytes = wide(this.bytes)
  }
}

interface Page {
  bytes: Buffer
  isChanged: boolean
}

/** Records of fixed size by their numbers, those that were asked for last in memory, the others in a file without a name. */
export class ColdPages implements Disposable {
  readonly #scratch: string
  readonly #pages = new Map<number, Page>()
  readonly #written = new Set<number>()
  #fd: number | undefined
  #lastNumber = -1
  #last: Page = { bytes: Buffer.alloc(0), isChanged: false }

  constructor(scratch: string) {
    this.#scratch = scratch
  }

  /** Where a record is, to be read or, as `change` says, written at once: other records take its page's place. */
  at(record: number, change = false): [page: Buffer, offset: number] {
    const number = Math.floor(record / PAGE_RECORDS)
    if (number !== this.#lastNumber) {
      this.#last = this.#page(number)
      this.#lastNumber = number
    }
    if (change) this.#last.isChanged = true
    return [this.#last.bytes, (record % PAGE_RECORDS) * COLD_BYTES]
  }

  copyOf(record: number): Buffer {
    const [page, at] = this.at(record)
    return Buffer.from(page.subarray(at, at + COLD_BYTES))
  }

  write(record: number, bytes: Uint8Array): void {
    const [page, at] = this.at(record, true)
    page.set(bytes, at)
  }

  [Symbol.dispose](): void {
    this.#pages.clear()
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #page(number: number): Page {
    const known = this.#pages.get(number)
    if (known !== undefined) {
      this.#pages.delete(number)
      this.#pages.set(number, known)
      return known
    }
    const bytes = this.#pages.size < MAX_PAGES ? Buffer.alloc(PAGE_BYTES) : this.#evicted()
    if (this.#written.has(number) && this.#fd !== undefined)
      for (let done = 0; done < PAGE_BYTES;)
        done += readSync(this.#fd, bytes, done, PAGE_BYTES - done, number * PAGE_BYTES + done)
    else bytes.fill(0)
    const page = { bytes, isChanged: false }
    this.#pages.set(number, page)
    return page
  }

  /** The bytes of the page that was not asked for the longest. */
  #evicted(): Buffer {
    const [[number, { bytes, isChanged }] = [0, this.#last]] = this.#pages
    this.#pages.delete(number)
    if (!isChanged) return bytes
    this.#fd ??= openUnnamed(this.#scratch)
    for (let done = 0; done < PAGE_BYTES;)
      done += writeSync(this.#fd, bytes, done, PAGE_BYTES - done, number * PAGE_BYTES + done)
    this.#written.add(number)
    return bytes
  }
}

/** Gone with this process, however that ends. */
function openUnnamed(scratch: string): number {
  const path = join(scratch, `explore-${randomHex(8)}`)
  const fd = openSync(path, "wx+", 0o600)
  unlinkSync(path)
  return fd
}

type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

function wide<T extends Column>(column: T): T {
  const grown = new (column.constructor as new (length: number) => T)(Math.ceil(column.length * 1.25))
  grown.set(column)
  free(column)
  return grown
}

/** Nobody reads it any more. */
export function free(column: Column): void {
  column.buffer.transfer(0)
}

/** Bytes that are put one behind the other. */
export class Strings implements Disposable {
  bytes = Buffer.from(new ArrayBuffer(1 << 16))
  used = 0

  /** Gives where it is. */
  add(text: string): number {
    if (this.used + text.length > this.bytes.length) {
      const grown = Buffer.from(new ArrayBuffer(Math.max(Math.ceil(this.bytes.length * 1.25), this.used + text.length)))
      this.bytes.copy(grown, 0, 0, this.used)
      this.bytes.buffer.transfer(0)
      this.bytes = grown
    }
    const at = this.used
    this.used += this.bytes.write(text, at, "latin1")
    return at
  }

  at(offset: number, length: number): string {
    return this.bytes.toString("latin1", offset, offset + length)
  }

  /** Safe to repeat. */
  [Symbol.dispose](): void {
    if (!this.bytes.buffer.detached) this.bytes.buffer.transfer(0)
  }
}
