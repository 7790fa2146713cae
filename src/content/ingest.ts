import { createHash, type Hash } from "node:crypto"
import { mkdirSync, renameSync, statSync, unlinkSync } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import { dirname, join } from "node:path"
import { syncDirectory } from "../base/atomic-write.ts"
import { DataLoss, FailedPrecondition, hasErrno, Unavailable } from "../base/errors.ts"
import { readChunks, type ReadOptions } from "../base/read-chunks.ts"
import { digestAlgorithm, digestHex, type Digest } from "../spec/digest.ts"
import { tryLock, unlock } from "../sys/libc.ts"
import type { BlobInfo, Bytes, Ingest } from "./content.ts"

/** Where an ingest is written, and where its blob goes. */
export interface IngestPaths {
  directory: string
  ref: string
  blobPath(digest: Digest): string
  signal?: AbortSignal | undefined
}

/** Opens the ingest of `ref` and hashes what it holds already. Throws Unavailable while another writes that ref. */
export async function openIngest(paths: IngestPaths): Promise<Ingest> {
  // a ref is the caller's word and may hold anything: its hash is the file's name
  const path = join(paths.directory, createHash("sha256").update(paths.ref).digest("hex"))
  const file = await openLocked(path, paths.ref)
  const ingest = new LocalIngest(file, path, paths)
  try {
    await ingest.rehash(paths.signal)
  } catch (error) {
    await file.close()
    throw error
  }
  return ingest
}

/** Opens the file and its lock, one writer at a time; the lock goes with the descriptor, also by `kill -9`. */
async function openLocked(path: string, ref: string): Promise<FileHandle> {
  for (;;) {
    const file = await open(path, APPEND_AND_READ, 0o600)
    if (!tryLock(file.fd)) {
      await file.close()
      throw new Unavailable(`"${ref}" is being written by another process`, { hint: "wait for it, then try again" })
    }
    // between open and lock, its writer may have renamed the file into place, or gc removed it: then it is not ours
    if (statSync(path, { throwIfNoEntry: false })?.ino === (await file.stat()).ino) return file
    await file.close()
  }
}

const APPEND_AND_READ = "a+"

class LocalIngest implements Ingest {
  readonly #file: FileHandle
  readonly #path: string
  readonly #paths: IngestPaths
  #hash: Hash = createHash("sha256")
  #offset = 0
  #open = true

  constructor(file: FileHandle, path: string, paths: IngestPaths) {
    this.#file = file
    this.#path = path
    this.#paths = paths
  }

  get offset(): number {
    return this.#offset
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Takes up what an earlier try left: its bytes were hashed by a process that is gone. */
  async rehash(signal: AbortSignal | undefined): Promise<void> {
    for await (const chunk of this.#read({ reuse: true, signal })) {
      this.#hash.update(chunk)
      this.#offset += chunk.length
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeOpen()
    this.#hash.update(chunk)
    try {
      for (let done = 0; done < chunk.length;)
        done += (await this.#file.write(chunk, done, chunk.length - done)).bytesWritten
    } catch (error) {
      await this.#forgetPart(error)
      throw diskFull(error, this.#paths.directory)
    }
    this.#offset += chunk.length
  }

  async truncate(): Promise<void> {
    this.#mustBeOpen()
    await this.#file.truncate(0)
    this.#hash = createHash("sha256")
    this.#offset = 0
  }

  async discard(): Promise<void> {
    if (this.#open) {
      unlinkSync(this.#path)
      return await this.#close()
    }
    try {
      // the lock went with the descriptor: whoever has it now may be at work
      await using file = await open(this.#path, "r")
      if (tryLock(file.fd)) unlinkSync(this.#path)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }

  written(): Bytes {
    this.#mustBeOpen()
    return this.#read({ end: this.#offset, reuse: true })
  }

  async commit(expected: { digest: Digest; size?: number }): Promise<BlobInfo> {
    this.#mustBeOpen()
    await this.#verify(expected)
    try {
      // a blob is as old as its commit: who collects by age must not take one whose last byte came long before
      const now = new Date()
      await this.#file.utimes(now, now)
      await this.#file.sync()
    } catch (error) {
      throw diskFull(error, this.#paths.directory)
    }
    const target = this.#paths.blobPath(expected.digest)
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    renameSync(this.#path, target)
    syncDirectory(dirname(target))
    await this.#close()
    return { digest: expected.digest, size: this.#offset, createdAt: statSync(target).mtime }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return
    // nothing held, nothing to take up again
    if (this.#offset === 0) unlinkSync(this.#path)
    await this.#close()
  }

  async #verify({ digest, size }: { digest: Digest; size?: number }): Promise<void> {
    const found = await this.#digest(digestAlgorithm(digest))
    if (found === digestHex(digest) && (size === undefined || size === this.#offset)) return
    unlinkSync(this.#path)
    await this.#close()
    throw new DataLoss(
      found === digestHex(digest)
        ? `${digest}: ${this.#offset} bytes arrived, ${size} were announced`
        : `${digest}: the ${this.#offset} bytes that arrived have digest ${digestAlgorithm(digest)}:${found}`,
      { hint: "try again; if it happens again, the copy at the source is damaged" },
    )
  }

  async #digest(algorithm: string): Promise<string> {
    if (algorithm === "sha256") return this.#hash.copy().digest("hex")
    // sha512 is rare (descriptor.md#registered-algorithms): not worth a second hash of every blob on its way
    const hash = createHash(algorithm)
    for await (const chunk of this.#read({ reuse: true })) hash.update(chunk)
    return hash.digest("hex")
  }

  #read(options: ReadOptions = {}): Bytes {
    return readChunks(this.#file, options)
  }

  /** A write that failed half way: the file goes back to what was whole, so that a later try goes on from there. */
  async #forgetPart(cause: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#offset)
    } catch {
      throw cause
    }
    await this.#close()
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new FailedPrecondition(`the ingest of "${this.#paths.ref}" is closed`)
  }

  async #close(): Promise<void> {
    this.#open = false
    unlock(this.#file.fd)
    await this.#file.close()
  }
}

/** Makes ENOSPC and its like the error that a person can act on; gives back any other as it is. */
function diskFull(error: unknown, directory: string): unknown {
  if (!hasErrno(error, "ENOSPC", "EDQUOT")) return error
  return new Unavailable(`no space left on the file system of "${directory}"`, {
    hint: { do: "freeSpace" },
    cause: error,
  })
}
