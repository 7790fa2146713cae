import { readSync, realpathSync } from "node:fs"
import type { Hash } from "node:crypto"
import { InvalidArgument } from "../../base/errors.ts"
import { parseDigest, type Digest } from "../../spec/digest.ts"
import { readLinkAt } from "../../sys/confined-path.ts"
import { openRawInRoot, openRoot } from "../../sys/confined.ts"
import { rawStatAt, readDirectory } from "../../sys/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } from "../../sys/libc.ts"
import { checkNamed, rawCString, rawName, shownName } from "../../sys/raw-name.ts"
import { getAttribute, listAttributes, pathAt } from "../../sys/xattr.ts"
import type { FilesOperation, RunOperation } from "../graph/definition.ts"
import { DigestIndex, stateOf } from "./digest-index.ts"
import { findSources, shownText, splitPivot, type SourcePattern } from "./find-sources.ts"
import { inTurns } from "./in-turns.ts"
import { sourceFilter, type SourceFilter } from "./source-filter.ts"
import type { Source } from "./worker.ts"

type Crypto = typeof import("node:crypto")

const OPEN_FOLDER = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
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

/** See `Worker.sourceDigest`. `root`: the store, which remembers unchanged files. */
export async function sourceDigest(
  root: string,
  operation: FilesOperation | RunOperation,
  input: number,
  source: Source,
): Promise<Digest | undefined> {
  const readings =
    operation.kind === "files" ? readByFiles(operation, input, source) : readByRun(operation, input, source)
  if (readings.length === 0) return undefined
  const crypto = await import("node:crypto")
  const index = source.keepsOwners ? undefined : new DigestIndex(root, hashText(crypto, realpathSync(source.path)))
  const digest = await inTurns(new TreeDigest(crypto, source, index).read(readings))
  index?.save()
  return digest
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
  readonly #hash: Hash
  #pending: Uint8Array[] = []
  /** Heads of folders that are only passed through: they count when something in them does. */
  #delayed: Uint8Array[] = []
  #count = 0

  constructor(crypto: Crypto, source: Source, index: DigestIndex | undefined) {
    this.#crypto = crypto
    this.#source = source
    this.#index = index
    this.#hash = crypto.createHash("sha256")
  }

  *read(readings: readonly Reading[]): Generator<void, Digest> {
    const rootFd = openRoot(this.#source.path)
    try {
      for (const reading of readings)
        for (const pattern of reading.patterns) yield* this.#pattern(rootFd, pattern, reading)
    } finally {
      close(rootFd)
    }
    this.#flush()
    return parseDigest(`sha256:${this.#hash.digest("hex")}`)
  }

  *#pattern(rootFd: number, pattern: SourcePattern, { exclude, withOwners }: Reading): Generator<void> {
    for (const found of findSources(this.#source, rootFd, pattern)) {
      const cut = found.path.lastIndexOf("/")
      const parent = openRawInRoot(rootFd, found.path.slice(0, Math.max(cut, 0)), O_DIRECTORY)
      try {
        const name = found.path === "" ? "." : found.path.slice(cut + 1)
        const filter = sourceFilter(this.#source, { base: shownText(found.path), exclude, include: pattern.include })
        // the name under which a file arrives; of a folder only what is in it does
        const shown =
          found.stat.type === "directory" ? "" : rawName(found.named.slice(found.named.lastIndexOf("/") + 1))
        yield* this.#entry({ folder: parent, name, path: "", shown, withOwners, filter, isThrough: false, depth: 0 })
      } finally {
        close(parent)
      }
    }
  }

  *#entry(entry: Entry): Generator<void> {
    if (++this.#count % BATCH === 0) yield
    const { folder, name } = entry
    const stat = rawStatAt(folder, name)
    if (stat === undefined) return
    const type = stat.readUInt16LE(28) & S_IFMT
    const head = headOf(entry, stat)
    if (entry.isThrough) this.#delayed.push(head)
    else this.#put(...this.#delayed.splice(0), head)
    if (type === S_IFREG) yield* this.#file(entry, stat)
    else if (type === S_IFLNK) this.#put(Buffer.from(readLinkAt(folder, name), "latin1"))
    else if (type === S_IFDIR) yield* this.#folder(entry)
    else this.#put(Buffer.from(stat.subarray(128, 136))) // device numbers
  }

  *#folder(entry: Entry): Generator<void> {
    const { folder, name, path, filter, isThrough, depth } = entry
    if (depth > MAX_DEPTH) throw new InvalidArgument(`folders are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    const fd = checkNamed(libc.openat(folder, rawCString(name), OPEN_FOLDER, 0), "open", name)
    try {
      const entries = readDirectory(fd).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      for (const child of entries) {
        const inner = path === "" ? child.name : `${path}/${child.name}`
        const verdict = filter === undefined ? "in" : filter(shownText(inner), child.isDirectory)
        if (verdict === "out") continue
        const through = verdict === "through"
        yield* this.#entry({
          ...entry,
          folder: fd,
          name: child.name,
          path: inner,
          shown: child.name,
          isThrough: through,
          depth: depth + 1,
        })
      }
      if (isThrough && this.#delayed.length > 0) this.#delayed.pop()
      else this.#put(END_OF_FOLDER)
    } finally {
      close(fd)
    }
  }

  *#file({ folder, name }: Entry, stat: Buffer): Generator<void> {
    const known = this.#index?.find(stat)
    if (known !== undefined) return this.#put(known)
    const state = Buffer.from(stateOf(stat))
    const digest = yield* this.#content(folder, name)
    this.#index?.add(state, digest)
    this.#put(digest)
  }

  *#content(folder: number, name: string): Generator<void, Buffer> {
    const hash = this.#crypto.createHash("sha256")
    // O_NONBLOCK: it may have become a FIFO since we looked
    const flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    const fd = checkNamed(libc.openat(folder, rawCString(name), flags, 0), "open", name)
    try {
      if (libc.flistxattr(fd, null, 0) > 0) hashAttributes(hash, pathAt(folder, name))
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

  #put(...parts: Uint8Array[]): void {
    this.#pending.push(...parts)
    if (this.#pending.length >= BATCH) this.#flush()
  }

  #flush(): void {
    this.#hash.update(Buffer.concat(this.#pending))
    this.#pending = []
  }
}

interface Entry {
  folder: number
  name: string
  /** Below the folder that is copied. */
  path: string
  /** The name that is hashed. */
  shown: string
  withOwners: boolean
  filter: SourceFilter | undefined
  isThrough: boolean
  depth: number
}

function headOf({ shown, withOwners }: Entry, stat: Buffer): Buffer {
  const owner = withOwners ? `${stat.readUInt32LE(20)}:${stat.readUInt32LE(24)}` : ""
  return Buffer.from(`\0${shown}\0${stat.readUInt16LE(28).toString(8)} ${owner}\0`, "latin1")
}

const END_OF_FOLDER = Buffer.from("\0\0")
const chunk = Buffer.allocUnsafe(CHUNK_BYTES)

/** Those that COPY keeps. */
function hashAttributes(hash: Hash, path: Uint8Array): void {
  for (const name of listAttributes(path).toSorted())
    if (!/^(trusted|user)\.overlay\.|^security\.(selinux|ima|evm)$/.test(name))
      hash
        .update(`${name}\0`)
        .update(getAttribute(path, name) ?? "")
        .update("\0")
}
