/**
 * Blobs by digest.
 *
 * A blob is written through an ingest: bytes go to a file aside and are hashed on their way; `commit` checks size and
 * digest, syncs, renames into place, syncs the directory. Nothing is visible before commit. An ingest that is disposed, or
 * whose process dies, is kept under its ref, so that the next one goes on from `offset`; garbage collection removes it
 * later. A blob lives while a record refers to it or a lease holds it.
 */
import type { Bytes } from "../base/bytes.ts"
import type { Digest } from "../spec/digest.ts"

export type { Bytes }

/** A blob that is there. */
export interface BlobInfo {
  digest: Digest
  /** bytes */
  size: number
  createdAt: Date
}

/** Half open: `start` included, `end` not. */
export interface ByteRange {
  start: number
  end?: number
}

/** Which part of a blob is read, and how. */
export interface ReadBlobOptions extends ByteRange {
  /** Each chunk is overwritten once the next is asked for: for readers that are done with it by then. */
  reuse?: boolean | undefined
  signal?: AbortSignal | undefined
}

/**
 * The blobs of one store, for all processes that share it. What takes a digest checks it: no blob is ever there under
 * another.
 */
export interface ContentStore {
  /** Throws NotFound. */
  info(digest: Digest): BlobInfo
  /** Whether it is there now: only a lease that was taken before keeps it so. */
  has(digest: Digest): boolean
  /** Streams a blob, in chunks of up to 1 MiB. Throws NotFound, and the signal's reason; DataLoss where files were changed. */
  read(digest: Digest, range?: ReadBlobOptions): Bytes
  /** The whole blob, for manifests and configs. Throws NotFound, or InvalidArgument when it has more than `maxBytes`. */
  readAll(digest: Digest, maxBytes: number): Promise<Uint8Array>
  /** The host path of a committed blob. Throws NotFound. */
  path(digest: Digest): string
  /** Takes up a partial ingest of the same ref. Throws Unavailable while another process writes that ref. */
  ingest(ref: string, options?: { signal?: AbortSignal | undefined }): Promise<Ingest>
  /** Stores bytes at hand; gives their digest. Safe to repeat, also at once. Throws Unavailable when the disk is full. */
  put(bytes: Uint8Array): Promise<BlobInfo>
  /** Sets the time of the blob to now, for who collects by age. False when it is not there. Safe to repeat. */
  touch(digest: Digest): boolean
  /** Removes ingests that nobody writes and nobody wrote for so long. Safe to repeat, and beside writers. */
  removeStaleIngests(options: { olderThanMs: number; dryRun?: boolean | undefined }): Promise<void>
  /** Blobs that have files, in no order. One that goes meanwhile may be left out. */
  list(): Iterable<BlobInfo>
  /** The blob is gone before the promise is given. Safe to repeat. */
  delete(digest: Digest): Promise<void>
}

/**
 * A blob being written, by one process at a time. Killed, it leaves what it had written for the next of its ref; a power cut
 * may leave less, which `commit` finds out.
 */
export interface Ingest extends AsyncDisposable {
  /** Bytes already held from an earlier try. */
  readonly offset: number
  /** False once it was committed, discarded or disposed, or a write has failed. */
  readonly isOpen: boolean
  /**
   * Throws Unavailable when the disk is full: what was written before stays, to go on from, and the ingest is closed;
   * FailedPrecondition when it is closed.
   */
  write(chunk: Uint8Array): Promise<void>
  /** Starts again from nothing: the source could not go on from `offset`. */
  truncate(): Promise<void>
  /** Gives up, also after a write that failed: what is held goes at once. For a ref that nobody takes up again. Safe to repeat. */
  discard(): Promise<void>
  /**
   * The bytes held so far, to feed who must see the whole stream (a decompressor) when a download goes on. Each chunk is
   * overwritten once the next is asked for.
   */
  written(): Bytes
  /**
   * Makes it a blob: synced to the disk, then there at once and whole. Not to be repeated; the same digest may be committed
   * from several refs. Throws DataLoss when the bytes are not those, and removes them; Unavailable when the disk is full.
   */
  commit(expected: { digest: Digest; size?: number }): Promise<BlobInfo>
}

/** Keeps content alive while something is made of it. Expires by itself (default 24 h) when its process was killed. */
export interface Lease extends AsyncDisposable {
  readonly id: string
  /** To be called before the look whether it is there. Safe to repeat; the blob need not be there. */
  addBlob(digest: Digest): void
  /** The same of a snapshot, and of all below it. */
  addSnapshot(key: string): void
}

/** Leases of one store. A lease is a row: it holds for all processes, from the moment a blob or snapshot is added. */
export interface Leases {
  /** Disposed, it holds nothing any more; killed, nothing from when its process is seen to be gone. */
  open(options?: { expiresInMs?: number }): Promise<Lease>
  /** What the leases of living processes hold; drops all others. To be called in a transaction. Safe to repeat. */
  live(): { blobs: Digest[]; snapshots: string[] }
}
