import { readSync, realpathSync } from "node:fs"
import type { Hash } from "node:crypto"
import { InvalidArgument } from "../../base/errors.ts"
import { parseDigest, type Digest } from "../../spec/digest.ts"
import { readLinkAt } from "../../sys/fs/confined-path.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { rawStatAt, readDirectory } from "../../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, OPEN_DIRECTORY } from "../../sys/libc.ts"
import { checkNamed, rawCString, rawName, shownName } from "../../sys/fs/raw-name.ts"
import { getAttribute, listAttributes, pathAt } from "../../sys/fs/xattr.ts"
import type { FilesOperation, RunOperation } from "../plan/definition.ts"
import { DigestIndex, stateOf } from "./digest-index.ts"
import { findSources, shownText, splitPivot, type SourcePattern } from "./find-sources.ts"
import { inTurns } from "./in-turns.ts"
import { sourceFilter, type SourceFilter } from "./source-filter.ts"
import type { Source } from "./executor.ts"

type Crypto = typeof import("node:crypto")

const CHUNK_BYTES = 256 * 1024
const BATCH = 256
const MAX_DEPTH = 400
const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const S_IFLNK = 0o120000
const S_IFMT = 0o170000

/** What an operation reads of one input, by one of its actions or mounts. */
interface Reading {
  patterns: readonly SourcePattern[]
  exclude: readonly string[]
  /** Whether the owners of files reach the result. */
  withOwners: boolean
}

/** Digests for one executor, which opens each context's index once. */
export class SourceDigests {
  readonly #root: string
  readonly #indexes = new Map<string, DigestIndex>()

  /** `root`: the store, which remembers unchanged files. */
  constructor(root: string) {
    this.#root = root
  }

  /** See `Executor.sourceDigest`. */
  async digest(operation: FilesOperation | RunOperation, input: number, source: Source): Promise<Digest | undefined> {
    const readings =
      operation.kind === "files" ? readByFiles(operation, input, source) : readByRun(operation, input, source)
    if (readings.length === 0) return undefined
    const crypto = await import("node:crypto")
    const index = this.#isOurs(source) ? undefined : this.#index(crypto, source.path)
    const digest = await inTurns(new TreeDigest(crypto, source, index).read(readings))
    index?.save()
    return digest
  }

  /** A stage, or what was fetched for this build: it lies elsewhere each time, so nothing is to be remembered of it. */
  #isOurs({ keepsOwners, path }: Source): boolean {
    return keepsOwners || path.startsWith(`${this.#root}/`)
  }

  /** By where the context lies. */
  #index(crypto: Crypto, path: string): DigestIndex {
    const name = hashText(crypto, realpathSync(path))
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    const index = new DigestIndex(this.#root, name)
    this.#indexes.set(name, index)
    return index
  }
}

function hashText({ createHash }: Crypto, text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

function readByFiles({ actions }: FilesOperation, input: number, { keepsOwners }: Source): Reading[] {
  return actions.flatMap((action) => {
    if (action.do !== "copy" || action.from !== input) return []
    const { sources, parents, exclude, chown } = action
    const patterns = sources.map((pattern) => (parents ? splitPivot(pattern) : { pattern }))
    return [{ patterns, exclude, withOwners: keepsOwners && chown === undefined }]
  })
}

function readByRun({ mounts }: RunOperation, input: number, { keepsOwners }: Source): Reading[] {
  return mounts.flatMap((mount) => {
    if ((mount.type !== "bind" && mount.type !== "cache") || mount.from !== input) return []
    const pattern = (mount.source || "/").replaceAll(/[*?[\\]/g, "\\$&")
    return [{ patterns: [{ pattern }], exclude: [], withOwners: keepsOwners }]
  })
}

/** One hash over names, types, modes, links and contents, in the order of names. */
class TreeDigest {
  readonly #crypto: Crypto
  readonly #source: Source
  readonly #index: DigestIndex | undefined
  readonly #feed: HashFeed
  /** Heads of directories that are only passed through: they count when something in them does. */
  readonly #delayed: string[] = []
  #count = 0

  constructor(crypto: Crypto, source: Source, index: DigestIndex | undefined) {
    this.#crypto = crypto
    this.#source = source
    this.#index = index
    this.#feed = new HashFeed(crypto.createHash("sha256"))
  }

  *read(readings: readonly Reading[]): Generator<void, Digest> {
    const rootFd = openRoot(this.#source.path)
    try {
      for (const reading of readings)
        for (const pattern of reading.patterns) yield* this.#pattern(rootFd, pattern, reading)
    } finally {
      close(rootFd)
    }
    return parseDigest(`sha256:${this.#feed.digest()}`)
  }

  *#pattern(rootFd: number, pattern: SourcePattern, { exclude, withOwners }: Reading): Generator<void> {
    for (const found of findSources(this.#source, rootFd, pattern)) {
      const cut = found.path.lastIndexOf("/")
      const parent = openRawInRoot(rootFd, found.path.slice(0, Math.max(cut, 0)), O_DIRECTORY)
      try {
        const name = found.path === "" ? "." : found.path.slice(cut + 1)
        const filter = sourceFilter(this.#source, { base: shownText(found.path), exclude, include: pattern.include })
        // the name under which a file arrives; of a directory only what is in it does
        const shown =
          found.stat.type === "directory" ? "" : rawName(found.named.slice(found.named.lastIndexOf("/") + 1))
        yield* this.#entry({ directory: parent, name, path: "", shown, withOwners, filter, isThrough: false, depth: 0 })
      } finally {
        close(parent)
      }
    }
  }

  /** A directory, or a file that must be read. */
  *#entry(entry: Entry): Generator<void> {
    const stat = rawStatAt(entry.directory, entry.name)
    if (stat === undefined || this.#isKnown(entry, stat)) return
    if ((stat.readUInt16LE(28) & S_IFMT) === S_IFDIR) yield* this.#directory(entry)
    else yield* this.#file(entry, stat)
  }

  /** Hashes the head of an entry, and the rest where that costs nothing: then gives true. */
  #isKnown(entry: Entry, stat: Buffer): boolean {
    const head = headOf(entry, stat)
    if (entry.isThrough) this.#delayed.push(head)
    else {
      for (const delayed of this.#delayed.splice(0)) this.#feed.text(delayed)
      this.#feed.text(head)
    }
    const type = stat.readUInt16LE(28) & S_IFMT
    if (type === S_IFDIR) return false
    if (type === S_IFREG) {
      const known = this.#index?.find(stat)
      if (known === undefined) return false
      this.#feed.bytes(known)
    } else if (type === S_IFLNK) this.#feed.text(readLinkAt(entry.directory, entry.name))
    else this.#feed.bytes(stat.subarray(128, 136)) // device numbers
    return true
  }

  *#directory(entry: Entry): Generator<void> {
    const { directory, name, path, filter, depth } = entry
    if (depth > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    const fd = checkNamed(libc.openat(directory, rawCString(name), OPEN_DIRECTORY, 0), "open", name)
    const child = { ...entry, directory: fd, depth: depth + 1 }
    try {
      for (const { name: childName, isDirectory } of readDirectory(fd).toSorted(byName)) {
        if (++this.#count % BATCH === 0) yield
        child.path = path === "" ? childName : `${path}/${childName}`
        const verdict = filter === undefined ? "in" : filter(shownText(child.path), isDirectory)
        if (verdict === "out") continue
        child.isThrough = verdict === "through"
        child.name = child.shown = childName
        const stat = isDirectory ? undefined : rawStatAt(fd, childName)
        if (stat === undefined) yield* this.#entry({ ...child })
        else if (!this.#isKnown(child, stat)) yield* this.#file(child, stat)
      }
      if (entry.isThrough && this.#delayed.length > 0) this.#delayed.pop()
      else this.#feed.text("\0\0")
    } finally {
      close(fd)
    }
  }

  *#file({ directory, name }: Entry, stat: Buffer): Generator<void> {
    const state = Buffer.from(stateOf(stat))
    const digest = yield* this.#content(directory, name)
    this.#index?.add(state, digest)
    this.#feed.bytes(digest)
  }

  *#content(directory: number, name: string): Generator<void, Buffer> {
    const hash = this.#crypto.createHash("sha256")
    // O_NONBLOCK: it may have become a FIFO since we looked
    const flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    const fd = checkNamed(libc.openat(directory, rawCString(name), flags, 0), "open", name)
    try {
      if (libc.flistxattr(fd, null, 0) > 0) hashAttributes(hash, pathAt(directory, name))
      for (let count = CHUNK_BYTES; count === CHUNK_BYTES;) {
        count = readSync(fd, chunk)
        hash.update(chunk.subarray(0, count))
        if (count === CHUNK_BYTES) yield
      }
    } finally {
      close(fd)
    }
    return hash.digest()
  }
}

/** Gathers small pieces before they are hashed. */
class HashFeed {
  readonly #hash: Hash
  readonly #buffer = Buffer.allocUnsafe(64 * 1024)
  #filled = 0

  constructor(hash: Hash) {
    this.#hash = hash
  }

  /** One char a byte. */
  text(text: string): void {
    this.#makeRoom(text.length)
    this.#filled += this.#buffer.write(text, this.#filled, "latin1")
  }

  bytes(bytes: Buffer): void {
    this.#makeRoom(bytes.length)
    this.#filled += bytes.copy(this.#buffer, this.#filled)
  }

  digest(): string {
    this.#makeRoom(this.#buffer.length)
    return this.#hash.digest("hex")
  }

  #makeRoom(length: number): void {
    if (this.#filled + length <= this.#buffer.length) return
    this.#hash.update(this.#buffer.subarray(0, this.#filled))
    this.#filled = 0
  }
}

interface Entry {
  directory: number
  name: string
  /** Below the directory that is copied. */
  path: string
  /** The name that is hashed. */
  shown: string
  withOwners: boolean
  filter: SourceFilter | undefined
  isThrough: boolean
  depth: number
}

function headOf({ shown, withOwners }: Entry, stat: Buffer): string {
  const owner = withOwners ? `${stat.readUInt32LE(20)}:${stat.readUInt32LE(24)}` : ""
  return `\0${shown}\0${stat.readUInt16LE(28)} ${owner}\0`
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)

const chunk = Buffer.allocUnsafe(CHUNK_BYTES)

/** Those that COPY keeps. */
function hashAttributes(hash: Hash, path: Uint8Array): void {
  for (const name of listAttributes(path).toSorted())
    if (!/^(trusted|user)\.overlay\.|^user\.skiff\.|^security\.(selinux|ima|evm)$/.test(name))
      hash
        .update(`${name}\0`)
        .update(getAttribute(path, name) ?? "")
        .update("\0")
}
