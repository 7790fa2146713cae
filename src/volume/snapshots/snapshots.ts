/**
 * Copies of a volume as it was: `volumes/<name>/snapshots/<snapshot>/data`, with `about.json` beside it. They go with the volume.
 *
 * A snapshot is made aside and renamed to its place, a restore made aside and exchanged with the volume's data: killed at any step,
 * either is there whole or not at all, and the next one that works on the volume takes away what is left.
 */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs"
import { atomicWrite, syncDirectory } from "../../base/atomic-write.ts"
import { heeding, throwIfAborted } from "../../base/cancel.ts"
import { crashPoint } from "../../base/crash-point.ts"
import {
  AlreadyExists,
  FailedPrecondition,
  hasErrno,
  InvalidArgument,
  NotFound,
  Unsupported,
} from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import { randomHex } from "../../base/random-hex.ts"
import { copyTree } from "../../sys/fs/copy-tree.ts"
import { exchange } from "../../sys/fs/exchange.ts"
import { FileLocks, type HeldLock } from "../../sys/fs/file-locks.ts"
import { isMountPoint } from "../../sys/fs/mount.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { treeUsage } from "../../sys/fs/tree-usage.ts"
import { check, libc } from "../../sys/libc.ts"
import { isOwnDirectory } from "../volume-options.ts"
import { VOLUME_NAME, type Volume, type VolumeSnapshot, type VolumeSnapshots } from "../volume.ts"

/** What the snapshots of a store are handed. */
export interface SnapshotsDeps {
  /** Holds a directory for each volume. */
  directory: string
  get(name: string): Volume
  tell(volume: Volume, action: string, snapshot: string): void
  /** Containers that run, or are paused, with the volume. */
  runningWith(name: string): Promise<readonly { id: string; name: string }[]>
  whileFrozen<T>(ids: readonly string[], body: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>
}

/** Begins the names of what is not whole yet, or not needed any more: of no snapshot. */
const ASIDE = ".aside-"

/** See `VolumeSnapshots`. */
export function openSnapshots(deps: SnapshotsDeps): VolumeSnapshots {
  const locked = async (name: string, signal: AbortSignal | undefined): Promise<LockedVolume> => {
    const volume = snapshotted(deps.get(name))
    const home = `${deps.directory}/${name}`
    const lock = await new FileLocks(home, `volume ${name}`).acquire("lock", { signal })
    return new LockedVolume(volume, home, lock)
  }
  return {
    async list(name) {
      const home = `${deps.directory}/${deps.get(name).name}`
      using lock = new FileLocks(home, `volume ${name}`).tryAcquire("lock")
      // nobody works on it: what is aside is left by a killed one
      if (lock !== undefined) await sweepBelow(home)
      return await listAt(home, name)
    },
    async create(name, { snapshot = timeName(), signal, freeze = false } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      await held.sweep(signal)
      const aside = held.prepare(snapshot)
      const copy = (): Promise<void> =>
        heeding(signal, `the snapshot of volume "${name}"`, () => held.copyData(`${aside}/data`, signal))
      if (freeze)
        await deps.whileFrozen(
          (await deps.runningWith(name)).map(({ id }) => id),
          copy,
          signal,
        )
      else await copy()
      crashPoint("snapshot:copied")
      const made = held.publish(aside, snapshot)
      deps.tell(held.volume, "snapshot", snapshot)
      return made
    },
    async restore(name, snapshot, { force = false, signal } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      const [user] = await deps.runningWith(name)
      if (user !== undefined && !force)
        throw new FailedPrecondition(`volume "${name}" is in use by container "${user.name}", which runs`, {
          hint: [
            { do: "stop", container: user.name },
            { do: "set", field: "force" },
          ],
          data: { object: "volume", name, user: user.id },
        })
      await held.sweep(signal)
      await heeding(signal, `the restoring of volume "${name}"`, () => held.restore(snapshot, signal))
      deps.tell(held.volume, "restore", snapshot)
      await held.sweep()
    },
    async remove(name, snapshot, { signal } = {}) {
      checkName(snapshot)
      using held = await locked(name, signal)
      throwIfAborted(signal, `the removal of snapshot "${snapshot}"`)
      held.setAside(snapshot)
      deps.tell(held.volume, "snapshot-remove", snapshot)
      await held.sweep(signal)
    },
  }
}

/** One volume, which nobody else fills, copies or restores meanwhile. */
class LockedVolume implements Disposable {
  readonly volume: Volume
  readonly #home: string
  readonly #snapshots: string
  readonly #lock: HeldLock

  constructor(volume: Volume, home: string, lock: HeldLock) {
    this.volume = volume
    this.#home = home
    this.#snapshots = `${home}/snapshots`
    this.#lock = lock
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]()
  }

  /** Takes away what killed ones left, and what is not needed any more. */
  async sweep(signal?: AbortSignal): Promise<void> {
    await sweepBelow(this.#home, signal)
  }

  /** A new directory for a snapshot. Throws AlreadyExists. */
  prepare(snapshot: string): string {
    mkdirSync(this.#snapshots, { recursive: true, mode: 0o700 })
    if (namesIn(this.#snapshots).includes(snapshot))
      throw new AlreadyExists(`volume "${this.volume.name}" has a snapshot "${snapshot}" already`, {
        hint: "give another name, or remove that one",
      })
    const aside = `${this.#snapshots}/${ASIDE}${randomHex(8)}`
    mkdirSync(aside, { mode: 0o700 })
    return aside
  }

  async copyData(target: string, signal: AbortSignal | undefined): Promise<void> {
    await copyExactly(this.volume.mountpoint, target, signal)
  }

  publish(aside: string, snapshot: string): VolumeSnapshot {
    const createdAt = new Date()
    atomicWrite(`${aside}/about.json`, JSON.stringify({ version: 1, createdAt: createdAt.toISOString() }))
    syncAll(aside)
    renameSync(aside, `${this.#snapshots}/${snapshot}`)
    syncDirectory(this.#snapshots)
    return { volume: this.volume.name, name: snapshot, createdAt }
  }

  async restore(snapshot: string, signal: AbortSignal | undefined): Promise<void> {
    const source = `${this.#snapshots}/${snapshot}`
    if (readAbout(source) === undefined) throw noSuchSnapshot(this.volume.name, snapshot)
    const aside = `${this.#home}/${ASIDE}${randomHex(8)}`
    await copyExactly(`${source}/data`, aside, signal)
    syncAll(aside)
    crashPoint("restore:copied")
    exchange(aside, this.volume.mountpoint)
    crashPoint("restore:exchanged")
  }

  setAside(snapshot: string): void {
    if (readAbout(`${this.#snapshots}/${snapshot}`) === undefined) throw noSuchSnapshot(this.volume.name, snapshot)
    renameSync(`${this.#snapshots}/${snapshot}`, `${this.#snapshots}/${ASIDE}${randomHex(8)}`)
    crashPoint("snapshot:removing")
  }
}

async function sweepBelow(home: string, signal?: AbortSignal): Promise<void> {
  for (const directory of [home, `${home}/snapshots`])
    for (const name of namesIn(directory)) if (name.startsWith(ASIDE)) await removeTree(`${directory}/${name}`, signal)
}

async function copyExactly(source: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  mkdirSync(target, { mode: 0o700 })
  await copyTree(source, "/", target, "/", { exact: true, isLive: true, signal })
}

/** What a power cut must not take: one call for all files. */
function syncAll(path: string): void {
  const fd = openSync(path, "r")
  try {
    check(libc.syncfs(fd), "syncfs", path)
  } finally {
    closeSync(fd)
  }
}

/** Throws Unsupported for what lies elsewhere: it is not ours to exchange. */
function snapshotted(volume: Volume): Volume {
  const { name, mountpoint } = volume
  if (!isOwnDirectory(volume))
    throw new Unsupported(
      `the data of volume "${name}" lie elsewhere, at "${mountpoint}", and skiff does not replace them`,
      {
        hint: "make snapshots where it lies, or push the volume to a registry",
      },
    )
  if (isMountPoint(mountpoint))
    throw new FailedPrecondition(`volume "${name}" is mounted from elsewhere`, { hint: "unmount it first" })
  return volume
}

async function listAt(home: string, volume: string): Promise<VolumeSnapshot[]> {
  const found: VolumeSnapshot[] = []
  for (const name of namesIn(`${home}/snapshots`)) {
    const about = readAbout(`${home}/snapshots/${name}`)
    if (name.startsWith(ASIDE) || about === undefined) continue
    const { bytes: sizeBytes, inodes: files } = await treeUsage(`${home}/snapshots/${name}/data`)
    found.push({ volume, name, ...about, sizeBytes, files })
  }
  return found.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.name < b.name ? -1 : 1))
}

/** Undefined of what is no snapshot. */
function readAbout(path: string): { createdAt: Date } | undefined {
  try {
    const { createdAt } = JSON.parse(readFileSync(`${path}/about.json`, "utf8")) as { createdAt: string }
    return { createdAt: new Date(createdAt) }
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined
    throw error
  }
}

function noSuchSnapshot(volume: string, name: string): NotFound {
  return new NotFound(`volume "${volume}" has no snapshot "${name}"`, { data: { object: "snapshot", name } })
}

function checkName(name: string): void {
  if (!VOLUME_NAME.test(name))
    throw new InvalidArgument(`invalid snapshot name "${name.slice(0, 100)}"`, {
      hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
    })
}

/** `20261129-203012.123`: in the order of time. */
function timeName(): string {
  return new Date().toISOString().replaceAll(/[-:Z]/g, "").replace("T", "-")
}
