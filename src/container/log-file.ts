import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { entriesOf, parseLogEntry, type LogEntry } from "./log-entry.ts"
import { logAfter } from "./log-history.ts"

const CHUNK_BYTES = 64 * 1024
const BLOCK_BYTES = 256 * 1024
/** conmon's longest entry is some 8 KiB; a file of ours with a longer line is broken, and is cut there. */
const MAX_LINE_BYTES = 1024 * 1024
/** Time, stream and tag of an entry. */
const MAX_HEAD_BYTES = 64
const NEWLINE = 0x0a

/** A log file being read, entry by entry. Follows it through rotation: a file of another inode is read from its start. */
export class LogFile implements Disposable {
  readonly #path: string
  readonly #isWhole: boolean
  #fd: number | undefined
  #position = 0
  /** Grows for a line that is longer. */
  #buffer = Buffer.allocUnsafe(BLOCK_BYTES)
  /** Bytes at its front of an entry that has no end yet. */
  #rest = 0

  /** `isWhole`: nothing more is written to it, and no other file of the name is of interest. */
  constructor(path: string, { isWhole = false }: { isWhole?: boolean } = {}) {
    this.#path = path
    this.#isWhole = isWhole
    this.#open()
  }

  /** Tells files apart whose names change; undefined before there is one. */
  get inode(): number | undefined {
    return this.#fd === undefined ? undefined : fstatSync(this.#fd).ino
  }

  /** Goes to where the last `lines` program lines begin, looking from the end; gives how many there are from there. */
  seekToTail(lines: number): number {
    if (this.#fd === undefined) return 0
    const { size } = fstatSync(this.#fd)
    const { start, count } = tailStart(this.#fd, size, lines)
    this.#position = start
    return count
  }

  /** Every whole entry written up to now. */
  *read(): Generator<LogEntry, void, undefined> {
    for (const block of this.blocks()) yield* entriesOf(block)
  }

  /** The same in blocks of entries; one is there until the next is asked for. */
  *blocks(): Generator<Uint8Array, void, undefined> {
    if (this.#fd === undefined) this.#open()
    let isLast = false
    while (this.#fd !== undefined) {
      const count = readSync(this.#fd, this.#buffer, this.#rest, this.#buffer.length - this.#rest, this.#position)
      if (count === 0) {
        if (isLast) this.#goOn()
        else if (!this.#wasReplaced()) return
        // once more: it may have grown between our last read and its replacement
        isLast = !isLast
        continue
      }
      this.#position += count
      const length = this.#rest + count
      const end = this.#buffer.subarray(0, length).lastIndexOf(NEWLINE) + 1
      if (end > 0) yield this.#buffer.subarray(0, end)
      this.#keepRest(end, length)
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(path = this.#path): void {
    try {
      this.#fd = openSync(path, "r")
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }

  /** What has no end yet goes to the front. */
  #keepRest(end: number, length: number): void {
    this.#buffer.copyWithin(0, end, length)
    this.#rest = length - end
    if (this.#rest < this.#buffer.length) return
    if (this.#rest > MAX_LINE_BYTES) this.#rest = 0
    else this.#buffer = Buffer.concat([this.#buffer, Buffer.allocUnsafe(this.#buffer.length)])
  }

  /** To the file that came after this one. */
  #goOn(): void {
    const path = this.#fd === undefined ? this.#path : logAfter(this.#path, fstatSync(this.#fd, { bigint: true }).ino)
    this[Symbol.dispose]()
    this.#position = 0
    this.#rest = 0
    this.#open(path)
  }

  #wasReplaced(): boolean {
    if (this.#fd === undefined || this.#isWhole) return false
    const own = fstatSync(this.#fd)
    const named = statSync(this.#path, { throwIfNoEntry: false })
    return own.size < this.#position || (named !== undefined && named.ino !== own.ino)
  }
}

/** The offset at which the last `lines` program lines begin. One may be several entries, all but its last partial. */
function tailStart(fd: number, size: number, lines: number): { start: number; count: number } {
  if (lines === 0) return { start: size, count: 0 }
  let ends = 0
  let nextStart = size
  for (const newline of newlinesBackwards(fd, size)) {
    const start = newline + 1
    if (start === size) continue
    const endsLine = isFullEntry(fd, start)
    // what stands after the last whole line is one more, not ended yet
    if (endsLine || nextStart === size) ends++
    if (endsLine && ends > lines) return { start: nextStart, count: lines }
    nextStart = start
  }
  return { start: 0, count: ends }
}

/** Offsets of line breaks from the end, and -1 at last: the place before the first line. */
function* newlinesBackwards(fd: number, size: number): Generator<number> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let end = size; end > 0; end -= Math.min(end, CHUNK_BYTES)) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const chunk = buffer.subarray(0, readSync(fd, buffer, 0, end - start, start))
    for (let at = chunk.length - 1; at >= 0; at--) if (chunk[at] === NEWLINE) yield start + at
  }
  yield -1
}

function isFullEntry(fd: number, start: number): boolean {
  const head = Buffer.alloc(MAX_HEAD_BYTES)
  const count = readSync(fd, head, 0, MAX_HEAD_BYTES, start)
  return parseLogEntry(head.subarray(0, count))?.isPartial === false
}
