import { fstatSync, readSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { openRawInRoot, openRoot } from "../sys/fs/confined.ts"
import { LeftOut, type FileTree, type RandomFile, type TreeEntry } from "./file-tree.ts"
import { directoryParts, statAt, type DirectoryEntry } from "../sys/fs/directory.ts"
import { AT_FDCWD, close, cString, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH } from "../sys/libc.ts"
import { rawCString, rawName, shownName } from "../sys/fs/raw-name.ts"

/** More are in no image that somebody made to be used. */
const MAX_ENTRIES = 5_000_000
const MAX_DEPTH = 128
/** Names that are in memory, of each directory on the way down; of a larger one these come in the order of their parts. */
const PART_ENTRIES = 10_000
/** Of a directory that is asked for as a whole. */
const MAX_NAMES = 100_000
/** Of files that are read by their names: any number of links may lead to the same large one. */
const MAX_NAMED_BYTES = 4 * 1024 ** 3
/** Of files with several hard links: a layer of a few MB may have millions of one large file. */
const MAX_LINKED_BYTES = 32 * 1024 ** 3
/** What a kernel makes, where an image has it all the same. */
const NOT_LOOKED_INTO = new Set(["proc", "sys", "dev"])

interface WalkedDirectory {
  walk: { entries: number }
  fd: number
  path: string
  depth: number
  skips: ((path: string, isDirectory: boolean) => boolean) | undefined
}

/**
 * The files of an image that nobody trusts, to be read. No link leads out of the tree, no FIFO is waited for, nothing large
 * is read.
 */
export class ImageTree implements FileTree {
  readonly #root: number
  readonly #left = new LeftOut()
  readonly #files = new DisposableStack()
  #namedBytes = 0
  #linkedBytes = 0

  constructor(path: string) {
    this.#root = openRoot(path)
  }

  get hostPath(): string {
    return `/proc/${process.pid}/fd/${this.#root}/`
  }

  get leftOut(): string[] {
    return this.#left.texts
  }

  read(path: string, maxBytes: number): Buffer | undefined {
    return this.#opened(rawName(path), O_PATH, (place) => {
      using fds = new DisposableStack()
      const fd = openFile(place)
      if (fd < 0) return undefined
      fds.adopt(fd, close)
      const most = Math.min(maxBytes, MAX_NAMED_BYTES - this.#namedBytes)
      const bytes = this.#readWhole(fd, rawName(path), most)
      this.#namedBytes += bytes?.length ?? 0
      return bytes
    })
  }

  open(path: string, maxBytes: number): RandomFile | undefined {
    return this.#opened(rawName(path), O_PATH, (place) => {
      using fds = new DisposableStack()
      const fd = openFile(place)
      if (fd < 0) return undefined
      fds.adopt(fd, close)
      const isWanted = fstatSync(fd).size <= maxBytes
      if (!isWanted) this.#left.tell("large", shownPath(rawName(path)))
      if (!isWanted || !this.#mayRead(fd, rawName(path))) return undefined
      this.#files.use(fds.move())
      return randomFile(fd)
    })
  }

  names(path: string): string[] {
    const [names = [], more] =
      this.#opened(rawName(path), O_DIRECTORY, (fd) => {
        const parts = directoryParts(fd, MAX_NAMES)
        return [parts.next().value?.map(({ name }) => name), parts.next().value]
      }) ?? []
    if (more !== undefined) this.#left.tell("many", `all but ${MAX_NAMES} names in ${shownPath(rawName(path))}`)
    return names
  }

  *walk(skips?: (path: string, isDirectory: boolean) => boolean): Generator<TreeEntry> {
    using fds = new DisposableStack()
    const top = fds.adopt(openRawInRoot(this.#root, ".", O_DIRECTORY), close)
    yield* this.#directory({ walk: { entries: 0 }, fd: top, path: "", depth: 0, skips })
  }

  [Symbol.dispose](): void {
    this.#files.dispose()
    close(this.#root)
  }

  *#directory(directory: WalkedDirectory): Generator<TreeEntry> {
    for (const part of directoryParts(directory.fd, PART_ENTRIES)) yield* this.#part(directory, part)
  }

  *#part({ walk, fd, path, depth, skips }: WalkedDirectory, part: readonly DirectoryEntry[]): Generator<TreeEntry> {
    for (const { name, isDirectory } of part.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (walk.entries++ >= MAX_ENTRIES) {
        const isFirst = walk.entries === MAX_ENTRIES + 1
        if (isFirst) this.#left.tell("many", `what is left of ${shownPath(path)} after ${MAX_ENTRIES} names`)
        return
      }
      if (depth === 0 && NOT_LOOKED_INTO.has(name)) continue
      const inner = path === "" ? name : `${path}/${name}`
      if (skips?.(inner, isDirectory) === true) continue
      yield {
        path: inner,
        name,
        isDirectory,
        stat: () => statAt(fd, name),
        read: (maxBytes) => opened(fd, name, (file) => this.#readWhole(file, inner, maxBytes)),
        chunks: (onBytes) =>
          opened(fd, name, (file) => this.#mayRead(file, inner) && readChunks(file, onBytes)) ?? false,
        at: (use) => opened(fd, name, (file) => (this.#mayRead(file, inner) ? useRandomly(file, use) : undefined)),
      }
      if (!isDirectory) continue
      if (depth >= MAX_DEPTH) {
        this.#left.tell("deep", shownPath(inner))
        continue
      }
      using fds = new DisposableStack()
      const child = libc.openat(fd, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
      if (child < 0) continue
      fds.adopt(child, close)
      yield* this.#directory({ walk, fd: child, path: inner, depth: depth + 1, skips })
    }
  }

  #readWhole(fd: number, path: string, maxBytes: number): Buffer | undefined {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    if (stat.size <= maxBytes) return this.#mayRead(fd, path) ? readAll(fd, stat.size) : undefined
    this.#left.tell("large", shownPath(path))
    return undefined
  }

  #mayRead(fd: number, path: string): boolean {
    const { nlink, size } = fstatSync(fd)
    if (nlink <= 1) return true
    this.#linkedBytes += size
    if (this.#linkedBytes <= MAX_LINKED_BYTES) return true
    this.#left.tell("large", shownPath(path))
    return false
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
  const place = libc.openat(directory, rawCString(name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
  if (place < 0) return undefined
  const fd = openFile(place)
  close(place)
  if (fd < 0) return undefined
  try {
    return use(fd)
  } finally {
    close(fd)
  }
}

/** What an O_PATH descriptor is of, to be read, if it is a file: to open a device is an act already, a watchdog's begins to count. */
function openFile(place: number): number {
  return fstatSync(place).isFile() ? libc.openat(AT_FDCWD, cString(`/proc/self/fd/${place}`), O_CLOEXEC, 0) : -1
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

function useRandomly<T>(fd: number, use: (file: RandomFile) => T): T | undefined {
  return fstatSync(fd).isFile() ? use(randomFile(fd)) : undefined
}

function randomFile(fd: number): RandomFile {
  const { size } = fstatSync(fd)
  return {
    sizeBytes: size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
      let done = 0
      for (let count = 1; done < bytes.length && count > 0; done += count)
        count = readSync(fd, bytes, done, bytes.length - done, offset + done)
      return bytes.subarray(0, done)
    },
  }
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
