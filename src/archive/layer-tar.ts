import { readSync } from "node:fs"
import type { Bytes } from "../base/bytes.ts"
import { hasErrno, InvalidArgument } from "../base/errors.ts"
import { TimeSlice } from "../base/time-slice.ts"
import { formatSize } from "../base/sizes.ts"
import type { Time } from "../sys/fs/attributes.ts"
import { readDirectory, statAt, statOf, type FileStat } from "../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../sys/fs/raw-name.ts"
import { LAYER_LIMITS } from "./apply-layer.ts"
import { attributesOf, isLayerAttribute, openFileAt, readLinkAt } from "./same-file.ts"
import type { SparsePart } from "./sparse.ts"
import { dataParts, sparseHeaderName, sparseMap, sparseRecords } from "./sparse-parts.ts"
import { encodeTarHeader, TAR_END_BYTES, tarPadding, type NewTarEntry } from "./tar-writer.ts"
import { treeChanges, type Hidden, type TreeChange, type TreeChangesOptions } from "./tree-changes.ts"

const CHUNK_BYTES = 1 << 20
const NOTHING = new Uint8Array(0)

/** What is there, to be written into a tar. */
export type Present = TreeChange & { kind: "present" }

/** Which trees are compared, and who hears of what. */
export interface LayerTarOptions extends TreeChangesOptions {
  signal?: AbortSignal | undefined
  /** Receives the size of each file. */
  onContent?: (bytes: number) => void
  /** Receives each file of the base, by its raw path, that is deleted or replaced. */
  onHidden?: (path: string, bytes: number) => void
  /** Raw paths that are left out where a file there is empty: what a runtime makes to bind something over it. */
  leaveOutEmpty?: ReadonlySet<string>
}

/**
 * The differences of two trees as a layer (image-spec layer.md#representing-changes), in chunks of about 1 MiB that are the
 * caller's. The bytes are a function of the trees alone. Times are cut to seconds, as containerd writes them.
 * A tree that changes while it is read (a running container's) gives a whole archive of what was seen.
 * Throws InvalidArgument for what no layer can hold.
 */
export async function* layerTar(options: LayerTarOptions): Bytes {
  const slice = new TimeSlice(options.signal)
  for (const chunk of chunksOf(options)) {
    if (chunk.length > 0) yield chunk
    if (slice.isOver) await slice.giveWay()
  }
}

/** Empty chunks stand wherever it may pause. */
function* chunksOf(options: LayerTarOptions): Generator<Uint8Array> {
  const writer = new LayerWriter(options.onContent ?? (() => {}))
  for (const change of treeChanges(options)) {
    yield NOTHING
    if (change.kind === "same") continue
    if (change.hides && options.onHidden) tellHidden(change.path, change.hides, options.onHidden)
    if (change.kind === "deleted") yield* writer.entry({ name: whiteoutOf(change.path), mode: 0 })
    else if (!isLeftOut(change, options)) yield* writer.present(change)
  }
  yield* writer.end()
}

function isLeftOut({ path, stat }: Present, { leaveOutEmpty }: LayerTarOptions): boolean {
  return leaveOutEmpty !== undefined && stat.type === "file" && stat.sizeBytes === 0 && leaveOutEmpty.has(path)
}

/** Turns what is found of a tree into a tar, chunk by chunk. */
export class LayerWriter {
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #used = 0
  #contentBytes = 0
  /** Where the first name of a file with more than one was written. */
  readonly #linked = new Map<string, string>()
  readonly #onContent: (bytes: number) => void
  readonly #isExact: boolean

  /** `exact`: times to the nanosecond, holes as holes; a layer has neither. */
  constructor(onContent: (bytes: number) => void, { exact = false }: { exact?: boolean } = {}) {
    this.#onContent = onContent
    this.#isExact = exact
  }

  /** One file, directory or link; hard links to what was written before are links to it. */
  *present(change: Present): Generator<Uint8Array> {
    const { path, stat } = change
    const first = stat.links > 1 && stat.type !== "directory" ? this.#linked.get(stat.identity) : undefined
    if (first !== undefined) return yield* this.entry({ ...this.#described(change), type: "hardlink", linkName: first })
    if (stat.links > 1) this.#linked.set(stat.identity, path)
    if (stat.type === "file") return yield* this.#file(change)
    if (stat.type === "directory") return yield* this.#directory(change)
    const linkName = stat.type === "symlink" ? readLinkAt(change.directory, change.name) : ""
    if (stat.type !== "socket") yield* this.entry({ ...this.#described(change), type: stat.type, linkName })
  }

  *#directory(change: Present): Generator<Uint8Array> {
    const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    const fd = checkNamed(libc.openat(change.directory, rawCString(change.name), flags, 0), "open", change.name)
    let attributes: ReadonlyMap<string, Buffer>
    try {
      attributes = attributesOf(fd, isLayerAttribute)
    } finally {
      close(fd)
    }
    yield* this.entry({ ...this.#described(change), name: `${change.path}/`, type: "directory", attributes })
  }

  *#file(change: Present): Generator<Uint8Array> {
    const { path, stat } = change
    const fd = openUnlessGone(change)
    if (fd === undefined) return
    try {
      // a directory by now: nothing can be read of it
      if (statOf(fd).type !== "file") return
      const attributes = attributesOf(fd, isLayerAttribute)
      const mayHaveHoles = this.#isExact && stat.allocatedBytes < stat.sizeBytes
      const parts = mayHaveHoles ? dataParts(fd, stat.sizeBytes) : undefined
      if (parts !== undefined) return yield* this.#sparseFile(fd, change, attributes, parts)
      this.#count(path, stat.sizeBytes)
      yield* this.entry({ ...this.#described(change), sizeBytes: stat.sizeBytes, attributes })
      yield* this.#content(fd, 0, stat.sizeBytes)
      yield* this.bytes(tarPadding(stat.sizeBytes))
    } finally {
      close(fd)
    }
  }

  *#sparseFile(
    fd: number,
    change: Present,
    attributes: ReadonlyMap<string, Buffer>,
    parts: readonly SparsePart[],
  ): Generator<Uint8Array> {
    const { path, stat } = change
    const map = sparseMap(parts, stat.sizeBytes)
    const dataBytes = parts.reduce((sum, { length }) => sum + length, 0)
    const sizeBytes = map.length + dataBytes
    this.#count(path, dataBytes)
    const records = sparseRecords(path, stat.sizeBytes)
    yield* this.entry({ ...this.#described(change), name: sparseHeaderName(path), sizeBytes, attributes, records })
    yield* this.bytes(map)
    for (const { offset, length } of parts) yield* this.#content(fd, offset, length)
    yield* this.bytes(tarPadding(sizeBytes))
  }

  #count(path: string, bytes: number): void {
    this.#contentBytes += bytes
    this.#onContent(bytes)
    if (this.#isExact || this.#contentBytes <= LAYER_LIMITS.totalBytes) return
    throw new InvalidArgument(
      `with ${shownName(path)} the files of the layer have more than ${formatSize(LAYER_LIMITS.totalBytes)}`,
      { hint: "a sparse file counts with its holes: remove it in the same step" },
    )
  }

  *#content(fd: number, offset: number, sizeBytes: number): Generator<Uint8Array> {
    for (let left = sizeBytes; left > 0;) {
      if (this.#used === CHUNK_BYTES) yield* this.flush()
      const wanted = Math.min(left, CHUNK_BYTES - this.#used)
      const count = readSync(fd, this.#chunk, this.#used, wanted, offset + sizeBytes - left)
      // cut short since it was looked at: the header's size must be kept
      if (count === 0) this.#chunk.fill(0, this.#used, this.#used + wanted)
      this.#used += count === 0 ? wanted : count
      left -= count === 0 ? wanted : count
    }
  }

  #described({ path, stat }: Present): NewTarEntry {
    const { mode, uid, gid, device } = stat
    const mtime = this.#isExact ? stat.mtime : wholeSeconds(stat)
    return { name: path, mode, uid, gid, mtime, device: hasDevice(stat) ? device : NO_DEVICE }
  }

  /** A header alone. */
  *entry(entry: NewTarEntry): Generator<Uint8Array> {
    yield* this.bytes(encodeTarHeader(entry))
  }

  /** Bytes as they are. */
  *bytes(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      if (this.#used === CHUNK_BYTES) yield* this.flush()
      const count = Math.min(bytes.length - at, CHUNK_BYTES - this.#used)
      this.#chunk.set(bytes.subarray(at, at + count), this.#used)
      this.#used += count
      at += count
    }
  }

  /** The end of the archive. */
  *end(): Generator<Uint8Array> {
    yield* this.bytes(Buffer.alloc(TAR_END_BYTES))
    yield* this.flush()
  }

  *flush(): Generator<Uint8Array> {
    if (this.#used === 0) return
    const full = this.#chunk.subarray(0, this.#used)
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    this.#used = 0
    yield full
  }
}

function tellHidden(
  path: string,
  { directory, name, stat }: Hidden,
  tell: (path: string, bytes: number) => void,
): void {
  if (stat.type === "file") tell(path, stat.sizeBytes)
  if (stat.type !== "directory") return
  const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
  const fd = checkNamed(libc.openat(directory, rawCString(name), flags, 0), "open", name)
  try {
    for (const { name: inner } of readDirectory(fd)) {
      const found = statAt(fd, inner)
      if (found) tellHidden(`${path}/${inner}`, { directory: fd, name: inner, stat: found }, tell)
    }
  } finally {
    close(fd)
  }
}

const NO_DEVICE = { major: 0, minor: 0 }

function hasDevice({ type }: FileStat): boolean {
  return type === "character" || type === "block"
}

function wholeSeconds({ mtime }: FileStat): Time {
  return { seconds: mtime.seconds, nanoseconds: 0 }
}

/** image-spec layer.md#whiteouts */
function whiteoutOf(path: string): string {
  const cut = path.lastIndexOf("/") + 1
  return `${path.slice(0, cut)}.wh.${path.slice(cut)}`
}

function openUnlessGone({ directory, name }: Present): number | undefined {
  try {
    return openFileAt(directory, name)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ELOOP")) return undefined
    throw error
  }
}
