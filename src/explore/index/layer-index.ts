import { closeSync, fstatSync, readSync } from "node:fs"
import { DataLoss } from "../../base/errors.ts"
import type { LayerEntry } from "../explore.ts"
import { AT, FLAG, HEAD, HEAD_BYTES, MAGIC, RECORD_BYTES, TYPES, type Extra } from "./format.ts"
import { PageCache } from "./page-cache.ts"

/** Whole records in a page. */
const PAGE_RECORDS = 512
const PAGE_BYTES = PAGE_RECORDS * RECORD_BYTES

/** One name of a layer, as its record says. */
export interface LayerRecord {
  /** Its own number. */
  at: number
  flags: number
  isDirectory: boolean
  /** The layer has no entry of its own for this directory. */
  isImplied: boolean
  isWhiteout: boolean
  isOpaque: boolean
  /** A whiteout or an opaque directory is below it, or is it. */
  hides: boolean
  childStart: number
  childCount: number
  belowCount: number
  sizeBytes: number
  belowBytes: number
  leafBytes: number
  nameOffset: number
  nameBytes: number
}

/** The index of one layer, open: what is asked for is read, and for a while kept. */
export class LayerIndex implements Disposable {
  readonly records: number
  /** As dive counts: of all entries together. */
  readonly sizeBytes: number
  readonly entries: number
  readonly whiteouts: number
  readonly #fd: number
  readonly #strings: number
  readonly #pages: PageCache
  readonly #id: number

  /** Takes the descriptor over. Throws DataLoss when it is no whole index of this version. */
  constructor(fd: number, pages: PageCache) {
    this.#fd = fd
    this.#pages = pages
    this.#id = pages.newReader()
    const head = Buffer.alloc(HEAD_BYTES)
    const count = readSync(fd, head, 0, HEAD_BYTES, 0)
    this.records = head.readUInt32LE(HEAD.records)
    this.sizeBytes = head.readDoubleLE(HEAD.sizeBytes)
    this.entries = head.readDoubleLE(HEAD.entries)
    this.whiteouts = head.readUInt32LE(HEAD.whiteouts)
    this.#strings = HEAD_BYTES + this.records * RECORD_BYTES
    const isWhole =
      count === HEAD_BYTES &&
      head.toString("latin1", 0, MAGIC.length) === MAGIC &&
      fstatSync(fd).size === this.#strings + head.readDoubleLE(HEAD.stringsBytes)
    if (isWhole) return
    closeSync(fd)
    throw new DataLoss("the index of a layer is not whole, or of another version")
  }

  /** Its root. */
  get root(): LayerRecord {
    return this.record(0)
  }

  record(at: number): LayerRecord {
    const [page, r] = this.#recordPage(at)
    const flags = page[r + AT.flags] ?? 0
    return {
      at,
      flags,
      isDirectory: page[r + AT.type] === DIRECTORY,
      isImplied: (flags & FLAG.implied) !== 0,
      isWhiteout: (flags & FLAG.whiteout) !== 0,
      isOpaque: (flags & FLAG.opaque) !== 0,
      hides: (flags & FLAG.hides) !== 0,
      childStart: page.readUInt32LE(r + AT.childStart),
      childCount: page.readUInt32LE(r + AT.childCount),
      belowCount: page.readUInt32LE(r + AT.belowCount),
      sizeBytes: page.readDoubleLE(r + AT.sizeBytes),
      belowBytes: page.readDoubleLE(r + AT.belowBytes),
      leafBytes: page.readDoubleLE(r + AT.leafBytes),
      nameOffset: page.readUInt32LE(r + AT.nameOffset),
      nameBytes: page.readUInt16LE(r + AT.nameBytes),
    }
  }

  /** The raw name of a record. */
  name(at: number): string {
    const [page, r] = this.#recordPage(at)
    return this.#text(page.readUInt32LE(r + AT.nameOffset), page.readUInt16LE(r + AT.nameBytes))
  }

  /** The record of a raw name in a directory. */
  find({ childStart, childCount }: LayerRecord, name: string): LayerRecord | undefined {
    const at = this.lowerBound(childStart, childStart + childCount, name)
    return at < childStart + childCount && this.name(at) === name ? this.record(at) : undefined
  }

  /** The first record of a directory's whose name is not below this one; `end` when there is none. */
  lowerBound(start: number, end: number, name: string): number {
    let [low, high] = [start, end]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.name(middle) < name) low = middle + 1
      else high = middle
    }
    return low
  }

  /** All that a record says. */
  entry(at: number): LayerEntry {
    const [page, r] = this.#recordPage(at)
    const flags = page[r + AT.flags] ?? 0
    const extra = this.#extra(page, r)
    const type = TYPES[page[r + AT.type] ?? 0] ?? "file"
    return {
      type,
      mode: page.readUInt16LE(r + AT.mode),
      uid: page.readUInt32LE(r + AT.uid),
      gid: page.readUInt32LE(r + AT.gid),
      sizeBytes: page.readDoubleLE(r + AT.sizeBytes),
      mtime: page.readDoubleLE(r + AT.mtime),
      linkTarget: extra.link ?? "",
      ...((flags & FLAG.digest) !== 0 && { contentDigest: page.toString("hex", r + AT.digest, r + AT.digest + 32) }),
      attributes: extra.attributes ?? {},
      ...(extra.device !== undefined && { device: extra.device }),
      isSparse: (flags & FLAG.sparse) !== 0,
      isOpaque: (flags & FLAG.opaque) !== 0,
      isImplied: (flags & FLAG.implied) !== 0,
    }
  }

  /** Of a file its size and the SHA-256 of its contents, in hex, "" where that is not known; undefined of all else. */
  file(at: number): { sizeBytes: number; digest: string } | undefined {
    const [page, r] = this.#recordPage(at)
    const flags = page[r + AT.flags] ?? 0
    if (page[r + AT.type] !== FILE || (flags & FLAG.whiteout) !== 0) return undefined
    const digest = (flags & FLAG.digest) === 0 ? "" : page.toString("hex", r + AT.digest, r + AT.digest + 32)
    return { sizeBytes: page.readDoubleLE(r + AT.sizeBytes), digest }
  }

  /** Where the file's data begins in the uncompressed archive; undefined where it does not lie in one piece. */
  dataOffset(at: number): number | undefined {
    const [page, r] = this.#recordPage(at)
    const offset = page.readDoubleLE(r + AT.dataOffset)
    return offset < 0 ? undefined : offset
  }

  /** The raw path of a record. */
  path(at: number): string {
    const names: string[] = []
    for (let one = at; one !== 0; one = this.#parent(one)) names.push(this.name(one))
    return names.toReversed().join("/")
  }

  /** Whether two records say the same of a file: type, contents, mode, owner, link, attributes. */
  isSame(at: number, other: LayerIndex, otherAt: number): boolean {
    const [page, r] = this.#recordPage(at)
    // the page stays where it is, also when the other's takes its place in the cache
    const [otherPage, o] = other.#recordPage(otherAt)
    const differs = (from: number, to: number) => page.compare(otherPage, o + from, o + to, r + from, r + to) !== 0
    if (kindOf(page[r + AT.type]) !== kindOf(otherPage[o + AT.type])) return false
    if (differs(AT.mode, AT.mode + 2) || differs(AT.uid, AT.gid + 4)) return false
    const type = page[r + AT.type]
    if (type !== DIRECTORY && differs(AT.digest, AT.digest + 32)) return false
    const isFile = type === FILE && otherPage[o + AT.type] === FILE
    if (isFile && differs(AT.sizeBytes, AT.sizeBytes + 8)) return false
    if (page.readUInt16LE(r + AT.extraBytes) === 0 && otherPage.readUInt16LE(o + AT.extraBytes) === 0) return true
    const [mine, its] = [this.#extra(page, r), other.#extra(otherPage, o)]
    if (type === HARD_LINK || otherPage[o + AT.type] === HARD_LINK) mine.link = its.link = ""
    return (
      JSON.stringify([mine.link ?? "", mine.device, sorted(mine)]) ===
      JSON.stringify([its.link ?? "", its.device, sorted(its)])
    )
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #parent(at: number): number {
    const [page, r] = this.#recordPage(at)
    return page.readUInt32LE(r + AT.parent)
  }

  #extra(page: Buffer, r: number): Extra {
    const length = page.readUInt16LE(r + AT.extraBytes) * 8
    if (length === 0) return {}
    return JSON.parse(this.#text(page.readUInt32LE(r + AT.extraOffset), length)) as Extra
  }

  #recordPage(at: number): [page: Buffer, offset: number] {
    const number = Math.floor(at / PAGE_RECORDS)
    const page = this.#pages.get(this.#id, number, () => this.#read(HEAD_BYTES + number * PAGE_BYTES, PAGE_BYTES))
    return [page, (at % PAGE_RECORDS) * RECORD_BYTES]
  }

  #text(offset: number, length: number): string {
    const number = Math.floor(offset / PAGE_BYTES)
    const start = offset % PAGE_BYTES
    if (start + length > PAGE_BYTES) return this.#read(this.#strings + offset, length).toString("latin1", 0, length)
    // pages of text are counted below zero
    const page = this.#pages.get(this.#id, -1 - number, () =>
      this.#read(this.#strings + number * PAGE_BYTES, PAGE_BYTES),
    )
    return page.toString("latin1", start, start + length)
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let done = 0; done < length;) {
      const count = readSync(this.#fd, bytes, done, length - done, at + done)
      if (count === 0) break
      done += count
    }
    return bytes
  }
}

const FILE = TYPES.indexOf("file")
const DIRECTORY = TYPES.indexOf("directory")
const HARD_LINK = TYPES.indexOf("hardlink")

/** A hard link is a file. */
function kindOf(type: number | undefined): number | undefined {
  return type === HARD_LINK ? FILE : type
}

function sorted({ attributes = {} }: Extra): [string, string][] {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))
}
