import { fstatSync, readSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { openRawInRoot, openRoot } from "../sys/fs/confined.ts"
import { readDirectory } from "../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } from "../sys/libc.ts"
import { rawCString, rawName, shownName } from "../sys/fs/raw-name.ts"

/** More are in no image that somebody made to be used. */
const MAX_ENTRIES = 5_000_000
const MAX_DEPTH = 128
const MAX_TOLD = 10
/** What a kernel makes, where an image has it all the same. */
const NOT_LOOKED_INTO = new Set(["proc", "sys", "dev"])

/** One name in a directory of the tree; both are raw. */
export interface TreeEntry {
  /** Relative to the root. */
  path: string
  name: string
  isDirectory: boolean
  /** Of a file, not a link: its bytes; undefined when it has more than `maxBytes`, or is none. */
  read(maxBytes: number): Buffer | undefined
  /** Of a file, not a link: gives its bytes in pieces, which are the reader's own; false when it is none. */
  chunks(onBytes: (bytes: Uint8Array) => void): boolean
}

/**
 * The files of an image that nobody trusts, to be read. No link leads out of the tree, no FIFO is waited for, nothing large
 * is read.
 */
export class ImageTree implements Disposable {
  readonly #root: number
  /** Files that were to be read, and were not: absolute, as people write them. */
  readonly tooLarge = new Set<string>()
  #entries = 0
  #depthCut = false

  constructor(path: string) {
    this.#root = openRoot(path)
  }

  /** Whether something was too deep, or too much, to be looked at. */
  get isCut(): boolean {
    return this.#depthCut || this.#entries > MAX_ENTRIES
  }

  /** The file at `path`, links followed inside the tree; undefined when there is none of at most `maxBytes`. */
  read(path: string, maxBytes: number): Buffer | undefined {
    return this.#opened(rawName(path), O_NONBLOCK, (fd) => this.#readWhole(fd, rawName(path), maxBytes))
  }

  /** The names in a directory. */
  names(path: string): string[] {
    return this.#opened(rawName(path), O_DIRECTORY, (fd) => readDirectory(fd).map(({ name }) => name)) ?? []
  }

  /** Everything, by the order of names; no link is followed. */
  *walk(): Generator<TreeEntry> {
    using fds = new DisposableStack()
    const top = fds.adopt(openRawInRoot(this.#root, ".", O_DIRECTORY), close)
    yield* this.#directory(top, "", 0)
  }

  [Symbol.dispose](): void {
    close(this.#root)
  }

  *#directory(fd: number, path: string, depth: number): Generator<TreeEntry> {
    for (const { name, isDirectory } of readDirectory(fd).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (++this.#entries > MAX_ENTRIES) return
      if (depth === 0 && NOT_LOOKED_INTO.has(name)) continue
      const inner = path === "" ? name : `${path}/${name}`
      yield {
        path: inner,
        name,
        isDirectory,
        read: (maxBytes) => opened(fd, name, (file) => this.#readWhole(file, inner, maxBytes)),
        chunks: (onBytes) => opened(fd, name, (file) => readChunks(file, onBytes)) ?? false,
      }
      if (!isDirectory) continue
      if (depth >= MAX_DEPTH) {
        this.#depthCut = true
        continue
      }
      using fds = new DisposableStack()
      const child = libc.openat(fd, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
      if (child < 0) continue
      fds.adopt(child, close)
      yield* this.#directory(child, inner, depth + 1)
    }
  }

  #readWhole(fd: number, path: string, maxBytes: number): Buffer | undefined {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    if (stat.size <= maxBytes) return readAll(fd, stat.size)
    if (this.tooLarge.size < MAX_TOLD) this.tooLarge.add(shownPath(path))
    return undefined
  }

  #opened<T>(path: string, flags: number, use: (fd: number) => T): T | undefined {
    let fd: number
    try {
      fd = openRawInRoot(this.#root, path.replace(/^\/+/, ""), flags)
    } catch (error) {
      // ENXIO: a FIFO or a device
      if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EXDEV", "EACCES", "ENXIO", "ENODEV")) return undefined
      throw error
    }
    try {
      return use(fd)
    } finally {
      close(fd)
    }
  }
}

function opened<T>(directory: number, name: string, use: (fd: number) => T): T | undefined {
  const fd = libc.openat(directory, rawCString(name), O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0)
  if (fd < 0) return undefined
  try {
    return use(fd)
  } finally {
    close(fd)
  }
}

const chunk = Buffer.alloc(1 << 18)

function readChunks(fd: number, onBytes: (bytes: Uint8Array) => void): boolean {
  if (!fstatSync(fd).isFile()) return false
  for (let count = 1; count > 0;) {
    count = readSync(fd, chunk, 0, chunk.length, null)
    onBytes(chunk.subarray(0, count))
  }
  return true
}

function readAll(fd: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let done = 0
  for (let count = 1; done < bytes.length && count > 0; done += count)
    count = readSync(fd, bytes, done, bytes.length - done, null)
  return bytes.subarray(0, done)
}

/** A raw path, absolute, as people write it. */
export function shownPath(path: string): string {
  return shownName(`/${path}`).replace(/^"(.*)"$/s, "$1")
}
