import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs"
import { atomicWrite, syncDirectory } from "../../base/atomic-write.ts"
import { crashPoint } from "../../base/crash-point.ts"
import { AlreadyExists, FailedPrecondition, hasErrno, NotFound, Unsupported } from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import { randomHex } from "../../base/random-hex.ts"
import { copyTree } from "../../sys/fs/copy-tree.ts"
import { exchange } from "../../sys/fs/exchange.ts"
import { FileLocks, type HeldLock } from "../../sys/fs/file-locks.ts"
import { isMountPoint } from "../../sys/fs/mount.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { check, libc } from "../../sys/libc.ts"
import { isOwnDirectory } from "../volume-options.ts"
import type { Volume, VolumeSnapshot } from "../volume.ts"

/** Begins the names of what is not whole yet, or not needed any more: of no snapshot. */
export const ASIDE = ".aside-"

/** Of volumes that may have so many bytes and no more (drivers/quota.ts). */
export interface SizeLimits {
  /** Lifts the volume's limit, as for a moment there is twice as much, and lets the directory be of the volume. */
  lift(name: string, directory: string): Promise<void>
  /** Sets the limit again. Safe to repeat; each start of a container does it too. */
  limit(name: string): Promise<void>
}

/** One volume, which nobody else fills, copies or restores meanwhile. */
export class LockedVolume implements Disposable {
  readonly volume: Volume
  readonly #home: string
  readonly #snapshots: string
  readonly #lock: HeldLock

  /** Waits for the volume. Throws Unsupported for what lies elsewhere, and Cancelled. */
  static async open(volume: Volume, directory: string, signal: AbortSignal | undefined): Promise<LockedVolume> {
    const home = `${directory}/${replaceable(volume).name}`
    return new LockedVolume(
      volume,
      home,
      await new FileLocks(home, `volume ${volume.name}`).acquire("lock", { signal }),
    )
  }

  private constructor(volume: Volume, home: string, lock: HeldLock) {
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
    mkdirSync(target, { mode: 0o700 })
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

  async restore(snapshot: string, limits: SizeLimits, signal: AbortSignal | undefined): Promise<void> {
    const source = this.mustHave(snapshot)
    await this.replace((aside) => copyExactly(`${source}/data`, aside, signal), limits)
  }

  /** The volume's files become those that `fill` makes in an empty directory: all of them, in one step. */
  async replace<T>(fill: (aside: string) => Promise<T>, { lift, limit }: SizeLimits): Promise<T> {
    const { name, mountpoint } = this.volume
    const aside = `${this.#home}/${ASIDE}${randomHex(8)}`
    mkdirSync(aside, { mode: 0o755 })
    await lift(name, aside)
    try {
      const filled = await fill(aside)
      syncAll(aside)
      crashPoint("restore:copied")
      exchange(aside, mountpoint)
      crashPoint("restore:exchanged")
      return filled
    } finally {
      await limit(name)
    }
  }

  /** Host path of a snapshot. Throws NotFound. */
  mustHave(snapshot: string): string {
    const path = `${this.#snapshots}/${snapshot}`
    if (readAbout(path) !== undefined) return path
    throw new NotFound(`volume "${this.volume.name}" has no snapshot "${snapshot}"`, {
      data: { object: "snapshot", name: snapshot },
    })
  }

  setAside(snapshot: string): void {
    renameSync(this.mustHave(snapshot), `${this.#snapshots}/${ASIDE}${randomHex(8)}`)
    crashPoint("snapshot:removing")
  }
}

/** Takes away what lies aside. The volume must be locked. */
export async function sweepBelow(home: string, signal?: AbortSignal): Promise<void> {
  for (const directory of [home, `${home}/snapshots`])
    for (const name of namesIn(directory)) if (name.startsWith(ASIDE)) await removeTree(`${directory}/${name}`, signal)
}

async function copyExactly(source: string, target: string, signal: AbortSignal | undefined): Promise<void> {
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
function replaceable(volume: Volume): Volume {
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

/** Undefined of what is no snapshot. */
export function readAbout(path: string): { createdAt: Date } | undefined {
  try {
    const { createdAt } = JSON.parse(readFileSync(`${path}/about.json`, "utf8")) as { createdAt: string }
    return { createdAt: new Date(createdAt) }
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined
    throw error
  }
}
