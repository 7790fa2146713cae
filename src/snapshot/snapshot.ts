/**
 * File-system layers, and the writable layer of a container over them.
 *
 *   stage(key) ─ extract ─ commitStage(chainId, key, parent)     a layer from a registry: its parent may not be known yet
 *   prepare(key, parent) ─ mount, write ─ commit(chainId, key)   a layer made by a build step
 *   prepare(key, parent) ─ mount, run ─ remove(key)              a container's writable layer
 *
 * Keys are the caller's words for active snapshots (a container's id, a random name); a ChainId names a committed one.
 * A snapshotter gives mounts, it mounts nothing itself. What a crash leaves is removed by `sweep`.
 */
import type { Bytes } from "../base/bytes.ts"
import type { ChainId } from "../spec/digest.ts"
import type { FileType } from "../sys/fs/directory.ts"
import type { Mount } from "../sys/fs/mount.ts"

/** What the records say of a snapshot. */
export interface SnapshotInfo {
  /** The ChainId of a committed one, the key of an active one. */
  name: string
  parent?: ChainId
  kind: "committed" | "active" | "view" | "stage"
  createdAt: Date
  /** Of a stage: whether the process that fills it still runs. */
  ownerAlive?: boolean
}

/** A layer being read, once. */
export interface LayerDiff extends AsyncIterable<Uint8Array> {
  /** Of the files' contents, as far as they have been read. */
  readonly contentBytes: number
  /** Files below it that it deletes or replaces, by their raw paths, as far as it has been read. */
  readonly hidden: ReadonlyMap<string, number>
}

/** The files that one snapshot has made or changed. */
export interface OwnFiles extends Disposable {
  /** `path` is raw, relative to the root. */
  has(path: string): boolean
}

/** The contents of one committed snapshot, to be taken over by others: hostile, and checked by who takes them. */
export interface LayerContents extends Disposable {
  /** Files that hold something, by their raw paths. */
  list(): Promise<Iterable<{ path: string; sizeBytes: number }>>
  /** Open for reading, no link followed; the caller closes it. Undefined when there is no such file. */
  open(path: string): number | undefined
}

/**
 * What is kept with a snapshot: the index of its names, the figures of the layers that end with it (explore/), the packages of all that is seen
 * of it, and what is known of them (scan/).
 */
export type KeptFile = "explore-index" | "explore-figures" | "packages" | "vulnerabilities"

/** How an active snapshot is made. */
export interface PrepareOptions {
  /** No sync on unmount, for what is thrown away (`--rm`). */
  volatile?: boolean
  signal?: AbortSignal | undefined
}

/** What of a snapshot goes into a layer. */
export interface DiffOptions {
  /** `nothing`: all files, the parents' too. */
  since?: ChainId | "nothing"
  /** Paths that are left out where a file there is empty: what a runtime makes to bind something over it. */
  leaveOutEmpty?: ReadonlySet<string>
  signal?: AbortSignal | undefined
}

/** One file that differs. */
export interface FileChange {
  kind: "added" | "changed" | "deleted"
  /** Raw, absolute. */
  path: string
  /** What is there now; of a deleted one, what was. */
  type: FileType
  sizeBytes: number
}

/** Which two are compared. */
export interface ChangesOptions {
  /** Any other snapshot; `nothing`: all are added. Default: the parent. */
  since?: string
  signal?: AbortSignal | undefined
}

/** A layer being extracted. */
export interface Stage {
  /** The host path of the empty directory for its files. */
  path: string
  /** Where its tar-split may be put (archive/tar-split.ts), for `original`. */
  tarSplit: string
}

/**
 * The snapshots of one store, for all processes that share it. Calls that throw have changed nothing; killed half way, what a
 * call has made of directories is removed by the next `sweep`, and its rows are whole.
 */
export interface Snapshotter {
  readonly driver: "overlay" | "fuse-overlayfs" | "native"
  /** Whether there is a committed one of that name. */
  has(name: ChainId): boolean
  /** Throws NotFound. */
  info(name: string): SnapshotInfo
  /** Of every kind. */
  list(): SnapshotInfo[]
  /**
   * An empty directory to extract one layer into, whiteouts in overlay's form. A stage of the same key is emptied, safe
   * to repeat. It goes when its process is gone. Throws Unavailable while another process fills it.
   */
  stage(key: string): Promise<Stage>
  /**
   * The staged layer becomes `name`. Safe to repeat; when `name` is there already, the stage is dropped. Throws NotFound
   * without the stage or the parent, and the signal's reason: the stage is then to be removed.
   */
  commitStage(name: ChainId, key: string, parent?: ChainId, signal?: AbortSignal): Promise<void>
  /** Active, writable; it stays until `remove`. Throws AlreadyExists, NotFound of the parent, the signal's reason. */
  prepare(key: string, parent?: ChainId, options?: PrepareOptions): Promise<Mount>
  /** Active, read-only; it stays until `remove`. Throws AlreadyExists, NotFound of the parent. */
  view(key: string, parent?: ChainId): Promise<Mount>
  /** The active one becomes committed. It must not be mounted. Safe to repeat. Throws NotFound. */
  commit(name: ChainId, key: string): Promise<void>
  /**
   * Gives a committed one its final name: a build step's, whose chain id is known only when its layer has been read, while
   * others stand on it already. False, and nothing changed, when `to` is there. Throws NotFound.
   */
  rename(from: string, to: ChainId): boolean
  /**
   * What a snapshot, active or committed, changes of its parent (with `since`: of that one below it), as an uncompressed
   * layer: the same bytes each time. It may be mounted and in use meanwhile. Throws NotFound, InvalidArgument.
   */
  diff(name: string, options?: DiffOptions): LayerDiff
  /**
   * The files of a snapshot that differ, in the order of their names. A directory is changed when something in it is, or its mode or
   * owner. It may be mounted and in use meanwhile. Throws NotFound.
   */
  changes(name: string, options?: ChangesOptions): AsyncIterable<FileChange>
  /**
   * The archive that a committed one was extracted from, byte for byte; undefined where no tar-split was kept, as of what a
   * build made. Each chunk is overwritten once the next is asked for. Throws NotFound; while it is read DataLoss, when files
   * are not there any more. The digest is the reader's to check.
   */
  original(name: ChainId): Bytes | undefined
  /** The mount of an active one, again (after a reboot). Throws NotFound. */
  mount(key: string): Mount
  /** No file that an active one has made or changed is younger than `epoch`, in seconds. Safe to repeat. Throws NotFound. */
  clampTimes(key: string, epoch: number): Promise<void>
  /** The host directory of what an active or committed one holds itself (an overlay's upper): hostile, see sys/confined. */
  diffPath(name: string): string
  /**
   * The root of all files that are seen of a snapshot, active or committed, at a path that only this process sees, read-only; it may be in
   * use meanwhile. Gone with its disposal, or the process. Throws NotFound.
   */
  open(name: string): Disposable & { path: string }
  /**
   * The host path for what somebody has made of a committed one and keeps with it: a file of that name, which counts in `usage` and goes
   * with the snapshot. Written beside it as `NAME.…`, and renamed. Throws NotFound.
   */
  keptFile(name: ChainId, file: KeptFile): string
  /** The caller disposes of it. Throws NotFound. */
  ownFiles(name: string): OwnFiles
  /** Of a committed one. The caller disposes of it. Throws NotFound. */
  contents(name: string): LayerContents
  /** Without the parents'. Counts allocated bytes. Throws NotFound, the signal's reason. */
  usage(name: string, signal?: AbortSignal): Promise<{ bytes: number; inodes: number }>
  /** Throws FailedPrecondition if it has children, or something is mounted in it. Safe to repeat, also when it is not there; what is left when it is aborted the next `sweep` takes. */
  remove(name: string, signal?: AbortSignal): Promise<void>
  /** `remove` without its directory, which the next `sweep` takes: short enough for a transaction. */
  forget(name: string): void
  /** Removes directories that no record knows. Safe at any time, beside other processes. */
  sweep(signal?: AbortSignal): Promise<number>
}
