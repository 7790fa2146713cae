import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { namesIn } from "../base/names-in.ts"
import { runAll } from "../base/run-all.ts"
import { FileLocks, type HeldLock } from "../sys/fs/file-locks.ts"
import { mountOrFind, mountPointsBelow, type Mount, unmount } from "../sys/fs/mount.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"

/**
 * The directory of one running build, `ROOT/builds/<id>`: what it mounts, unpacks and downloads. Its lock says that the build
 * lives; a directory whose lock is free is a killed build's, and goes, with its mounts and active snapshots, when the next
 * build begins.
 */
export class BuildDirectory implements AsyncDisposable {
  readonly id: string
  readonly path: string
  readonly #lock: HeldLock
  readonly #mounted = new Set<string>()
  #count = 0

  constructor(builds: string, id: string, lock: HeldLock) {
    this.id = id
    this.path = join(builds, id)
    this.#lock = lock
    mkdirSync(this.path, { mode: 0o700 })
  }

  /** A new empty directory. */
  make(name: string): string {
    const path = join(this.path, `${this.#count++}-${name}`)
    mkdirSync(path, { mode: 0o755 })
    return path
  }

  /** Mounts on a new directory, or finds what would be seen there; gives its path. */
  mount(name: string, mount: Mount): string {
    const path = mountOrFind(this.make(name), mount)
    this.#mounted.add(path)
    return path
  }

  unmount(path: string): void {
    unmount(path)
    this.#mounted.delete(path)
  }

  /** How the keys of this build's active snapshots begin: `sweepBuilds` knows them by it. */
  get snapshotPrefix(): string {
    return `${SNAPSHOT_PREFIX}${this.id} `
  }

  snapshotKey(): string {
    return `${this.snapshotPrefix}${this.#count++}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runAll("leaving the build", [
      ...[...this.#mounted].map((path) => () => this.unmount(path)),
      () => removeTree(this.path),
      () => this.#lock.unlink(),
      () => this.#lock[Symbol.dispose](),
    ])
  }
}

const SNAPSHOT_PREFIX = "build "

/** Makes the directory of a new build. */
export function openBuildDirectory(root: string): BuildDirectory {
  const builds = join(root, "builds")
  mkdirSync(builds, { recursive: true, mode: 0o700 })
  const id = crypto.randomUUID()
  const lock = buildLocks(root).tryAcquire(id)
  if (lock === undefined) throw new Error("unreachable: nobody else knows this id")
  return new BuildDirectory(builds, id, lock)
}

const LOCKS = "builds.locks"

/** One lock for each running build and for each step that is being done, by its key. */
export function buildLocks(root: string): FileLocks {
  return new FileLocks(join(root, LOCKS), "build")
}

/** Removes what killed builds left: mounts, files, active snapshots. Gives how many there were. Safe beside running ones. */
export async function sweepBuilds(root: string, snapshots: Snapshotter): Promise<number> {
  const builds = join(root, "builds")
  const ids = namesIn(builds)
  const locks = buildLocks(root)
  let swept = 0
  for (const id of ids) {
    using lock = locks.tryAcquire(id)
    if (lock === undefined) continue
    for (const path of mountPointsBelow(join(builds, id))) unmount(path)
    const prefix = `${SNAPSHOT_PREFIX}${id} `
    const left = snapshots.list().filter(({ name }) => name.startsWith(prefix))
    await runAll("removing what a killed build left", [
      ...left.map(
        ({ name }) =>
          () =>
            snapshots.remove(name),
      ),
      () => removeTree(join(builds, id)),
      () => lock.unlink(),
    ])
    swept++
  }
  // locks of steps that were being done
  if (swept > 0) for (const name of namesIn(join(root, LOCKS))) removeFreeLock(locks, name)
  return swept
}

function removeFreeLock(locks: FileLocks, name: string): void {
  using lock = locks.tryAcquire(name)
  lock?.unlink()
}
