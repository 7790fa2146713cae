import { createHash } from "node:crypto"
import { fstatSync, readSync } from "node:fs"
import type { ChunkedContent } from "../../archive/archive.ts"
import { log } from "../../base/log.ts"
import { TimeSlice } from "../../base/time-slice.ts"
import type { Bytes } from "../../content/content.ts"
import type { LayerContents, Snapshotter } from "../../snapshot/snapshot.ts"
import type { ChainId } from "../../spec/digest.ts"
import { close } from "../../sys/libc.ts"

/** Newest first: what was pulled or made last is what the next version stands on. */
const MAX_LAYERS = 256
/** Of all of them: seconds of listing are more than most downloads save. */
const MAX_FILES = 500_000
/** Above this, two files of one size are seldom different ones, whatever their names. */
const NAMELESS_BYTES = 16 * 1024
/** Of one size and name: what has more than so many other versions is fetched. */
const MAX_CANDIDATES = 32
/** What is read to find out what it is, at most so many times what is looked for. */
const MAX_READ_RATIO = 2
const MIN_READ_BYTES = 64 << 20
const CHUNK_BYTES = 1 << 20

/** A file of a local layer. */
interface LocalFile {
  layer: LayerContents
  chainId: ChainId
  path: string
}

/**
 * Contents that are here already, in any layer. Nothing is kept for it: tar-splits list the files of each layer by path and size, and what has
 * the size (and, of small files, the name) of a wanted content is read and hashed. A copy is then read from the page cache.
 */
export class LocalContents implements Disposable {
  readonly #layers = new DisposableStack()
  readonly #candidates = new Map<string, LocalFile[]>()
  readonly #byDigest = new Map<string, LocalFile>()
  readonly #wanted: readonly ChunkedContent[]
  #mayRead: number

  private constructor(wanted: readonly ChunkedContent[]) {
    this.#wanted = wanted
    const wantedBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#mayRead = Math.max(MIN_READ_BYTES, wantedBytes * MAX_READ_RATIO)
  }

  /** Looks for all `wanted`. The caller disposes of it. */
  static async open(
    snapshots: Snapshotter,
    wanted: readonly ChunkedContent[],
    signal: AbortSignal,
  ): Promise<LocalContents> {
    const contents = new LocalContents(wanted)
    try {
      const slice = new TimeSlice(signal)
      await contents.#list(snapshots, slice, signal)
      for (const content of wanted) await contents.#find(content, slice)
    } catch (error) {
      contents[Symbol.dispose]()
      throw error
    }
    return contents
  }

  has({ digest }: ChunkedContent): boolean {
    return this.#byDigest.has(digest)
  }

  /** Of those that were found. */
  get chainIds(): ReadonlySet<ChainId> {
    return new Set([...this.#byDigest.values()].map(({ chainId }) => chainId))
  }

  /** The content, as it is now: whoever reads checks what it gets. Each chunk is overwritten once the next is asked for. */
  async *read({ digest, sizeBytes }: ChunkedContent): Bytes {
    const file = this.#byDigest.get(digest)
    const fd = file?.layer.open(file.path)
    if (fd === undefined) return
    try {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes))
      for (let at = 0; at < sizeBytes;) {
        const count = readSync(fd, buffer, 0, Math.min(buffer.length, sizeBytes - at), at)
        if (count === 0) return
        at += count
        yield buffer.subarray(0, count)
      }
    } finally {
      close(fd)
    }
  }

  [Symbol.dispose](): void {
    this.#layers.dispose()
  }

  async #list(snapshots: Snapshotter, slice: TimeSlice, signal: AbortSignal): Promise<void> {
    const wanted = new Set(this.#wanted.map(({ name, sizeBytes }) => keyOf(name, sizeBytes)))
    const committed = snapshots.list().filter(({ kind }) => kind === "committed")
    const newest = committed.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, MAX_LAYERS)
    let files = 0
    for (const { name } of newest) {
      if (files > MAX_FILES) break
      try {
        const layer = this.#layers.use(snapshots.contents(name))
        for (const { path, sizeBytes } of await layer.list()) {
          if (slice.isOver) await slice.giveWay()
          files++
          const key = keyOf(path, sizeBytes)
          if (!wanted.has(key)) continue
          const known = this.#candidates.get(key)
          const file = { layer, chainId: name as ChainId, path }
          if (known === undefined) this.#candidates.set(key, [file])
          else if (known.length < MAX_CANDIDATES) known.push(file)
        }
      } catch (error) {
        signal.throwIfAborted()
        // removed meanwhile, or damaged: there are others
        log.debug("the files of a layer cannot be listed", { layer: name, why: String(error) })
      }
    }
  }

  async #find({ name, sizeBytes, digest }: ChunkedContent, slice: TimeSlice): Promise<void> {
    const candidates = this.#candidates.get(keyOf(name, sizeBytes))
    if (candidates === undefined) return
    const path = name.replace(/^(?:\.?\/)+/, "")
    // the one of the same path first
    candidates.sort((a, b) => Number(b.path === path) - Number(a.path === path))
    while (!this.#byDigest.has(digest)) {
      const file = candidates.shift()
      if (file === undefined || (this.#mayRead -= sizeBytes) < 0) return
      const found = await digestOfFile(file, sizeBytes, slice)
      if (found !== undefined && !this.#byDigest.has(found)) this.#byDigest.set(found, file)
    }
  }
}

function keyOf(path: string, sizeBytes: number): string {
  return sizeBytes >= NAMELESS_BYTES ? String(sizeBytes) : `${sizeBytes}/${path.slice(path.lastIndexOf("/") + 1)}`
}

async function digestOfFile(
  { layer, path }: LocalFile,
  sizeBytes: number,
  slice: TimeSlice,
): Promise<string | undefined> {
  const fd = layer.open(path)
  if (fd === undefined) return undefined
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size !== sizeBytes) return undefined
    const hash = createHash("sha256")
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes))
    for (let at = 0; at < sizeBytes;) {
      const count = readSync(fd, buffer, 0, buffer.length, at)
      if (count === 0) return undefined
      hash.update(buffer.subarray(0, count))
      at += count
      if (slice.isOver) await slice.giveWay()
    }
    return `sha256:${hash.digest("hex")}`
  } finally {
    close(fd)
  }
}
