import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Cancellable } from "../base/cancel.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import { runAll } from "../base/run-all.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { FileLocks, type HeldLock } from "../sys/fs/file-locks.ts"
import { BuildDirectory, clearBuildDirectory, snapshotPrefixOf, type BuildDirectoryDeps } from "./build-directory.ts"

/** What a sweep stands on. */
export interface BuildDirectoriesDeps extends BuildDirectoryDeps {
  /** Of the store. */
  root: string
  snapshots: Pick<Snapshotter, "list" | "remove">
}

/** The directories of all running builds, and of killed ones until they are swept. */
export class BuildDirectories {
  /** One lock for each running build, and one for each step that is being done, by its key. */
  readonly locks: FileLocks
  readonly #deps: BuildDirectoriesDeps
  readonly #builds: string
  readonly #lockDirectory: string

  constructor(deps: BuildDirectoriesDeps) {
    this.#deps = deps
    this.#builds = join(deps.root, "builds")
    this.#lockDirectory = join(deps.root, "builds.locks")
    this.locks = new FileLocks(this.#lockDirectory, "build")
  }

  /** Makes the directory of a new build. */
  open(): BuildDirectory {
    mkdirSync(this.#builds, { recursive: true, mode: 0o700 })
    const id = `build-${randomHex(6)}`
    const lock = this.locks.tryAcquire(id)
    if (lock === undefined) throw new Error("unreachable: nobody else knows this id")
    return new BuildDirectory(this.#builds, id, lock, this.#deps)
  }

  /**
   * Removes what killed builds left: programs, endpoints, mounts, files, active snapshots. Gives how many builds there were.
   * Safe beside running ones. What cannot be removed is left to the next sweep, with a warning.
   */
  async sweep(): Promise<number> {
    let swept = 0
    for (const id of namesIn(this.#builds)) {
      const lock = this.locks.tryAcquire(id)
      if (lock === undefined) continue // alive
      await this.#clear(id, lock)
      swept++
    }
    // locks of steps that were being done
    if (swept > 0) for (const name of namesIn(this.#lockDirectory)) this.#removeFreeLock(name)
    return swept
  }

  /** The same for one build of which it is known that its process dies. Safe to repeat. */
  async sweepKilled(id: string, { signal }: Cancellable = {}): Promise<void> {
    if (namesIn(this.#builds).includes(id)) await this.#clear(id, await this.locks.acquire(id, { signal }))
  }

  async #clear(id: string, lock: HeldLock): Promise<void> {
    using _ = lock
    const { snapshots } = this.#deps
    const prefix = snapshotPrefixOf(id)
    try {
      await runAll("removing what a killed build left", [
        ...snapshots
          .list()
          .filter(({ name }) => name.startsWith(prefix))
          .map(
            ({ name }) =>
              () =>
                snapshots.remove(name),
          ),
        () => clearBuildDirectory(join(this.#builds, id), id, this.#deps),
        () => lock.unlink(),
      ])
    } catch (error) {
      log.warn(`what the killed build ${id} left could not all be removed`, { reason: String(error) })
    }
  }

  #removeFreeLock(name: string): void {
    using lock = this.locks.tryAcquire(name)
    lock?.unlink()
  }
}
