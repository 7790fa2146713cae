import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, utimesSync, type Stats } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { InvalidArgument, NotFound, hasErrno } from "../base/errors.ts"
import { readChunks } from "../base/read-chunks.ts"
import { digestAlgorithm, digestHex, isDigest, parseDigest, type Digest } from "../spec/digest.ts"
import type { BlobInfo, ReadBlobOptions, Bytes, ContentStore, Ingest } from "./content.ts"

/**
 * Opens the blobs under `root`: `blobs/<algorithm>/<hex>` (image-layout.md#blobs) and `ingest/<hash of ref>`.
 * Costs two `mkdir` on the first use of a store.
 */
export function openContentStore(options: { root: string }): ContentStore {
  return new LocalContentStore(options.root)
}

class LocalContentStore implements ContentStore {
  readonly #blobs: string
  readonly #ingests: string

  constructor(root: string) {
    this.#blobs = join(root, "blobs")
    this.#ingests = join(root, "ingest")
    mkdirSync(join(this.#blobs, "sha256"), { recursive: true, mode: 0o700 })
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 })
  }

  has(digest: Digest): boolean {
    return this.#stat(digest) !== undefined
  }

  info(digest: Digest): BlobInfo {
    const stat = this.#stat(digest)
    if (stat === undefined) throw missing(digest)
    return { digest, size: stat.size, createdAt: stat.mtime }
  }

  path(digest: Digest): string {
    this.info(digest)
    return this.#path(digest)
  }

  async *read(digest: Digest, range: ReadBlobOptions = { start: 0 }): Bytes {
    const { size } = this.info(digest)
    await using file = await open(this.#path(digest), "r")
    yield* readChunks(file, { ...range, end: Math.min(range.end ?? size, size) })
  }

  async readAll(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const { size } = this.info(digest)
    if (size > maxBytes) throw new InvalidArgument(`blob ${digest} has ${size} bytes, the limit is ${maxBytes}`)
    // a document: at once is sooner than by a thread, which would be started for it
    return readFileSync(this.#path(digest))
  }

  async ingest(ref: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Ingest> {
    // loaded when something is written: it brings node:crypto
    const { openIngest } = await import("./ingest.ts")
    return openIngest({ directory: this.#ingests, ref, blobPath: (digest) => this.#path(digest), signal })
  }

  async put(bytes: Uint8Array): Promise<BlobInfo> {
    const { createHash } = await import("node:crypto")
    const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
    if (this.has(digest)) return this.info(digest)
    // two processes may put the same bytes at once: each under a ref of its own, the later rename changes nothing
    await using ingest = await this.ingest(`put ${digest} ${process.pid} ${putCounter++}`)
    await ingest.truncate()
    await ingest.write(bytes)
    return await ingest.commit({ digest, size: bytes.length })
  }

  *list(): Iterable<BlobInfo> {
    for (const algorithm of readdirSync(this.#blobs))
      for (const hex of readdirSync(join(this.#blobs, algorithm))) {
        const digest = `${algorithm}:${hex}`
        if (!isDigest(digest)) continue // not ours
        const stat = this.#stat(digest)
        if (stat !== undefined) yield { digest, size: stat.size, createdAt: stat.mtime }
      }
  }

  touch(digest: Digest): boolean {
    try {
      const now = new Date()
      utimesSync(this.#path(digest), now, now)
      return true
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return false
      throw error
    }
  }

  async removeStaleIngests({ olderThanMs, dryRun = false }: { olderThanMs: number; dryRun?: boolean }): Promise<void> {
    if (dryRun) return
    const { removeStaleIngests } = await import("./stale-ingests.ts")
    await removeStaleIngests(this.#ingests, olderThanMs)
  }

  // no await inside: the garbage collector relies on the blob being gone when this returns its promise
  async delete(digest: Digest): Promise<void> {
    try {
      unlinkSync(this.#path(digest))
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }

  #stat(digest: Digest): Stats | undefined {
    return statSync(this.#path(digest), { throwIfNoEntry: false })
  }

  #path(digest: Digest): string {
    return join(this.#blobs, digestAlgorithm(digest), digestHex(digest))
  }
}

let putCounter = 0

function missing(digest: Digest): NotFound {
  return new NotFound(`no such blob: ${digest}`, { hint: "pull the image again" })
}
