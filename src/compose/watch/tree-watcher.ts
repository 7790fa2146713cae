import { existsSync, statSync, watch, type FSWatcher } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"

/** Changes that came close together. */
export interface ChangeBatch {
  /** Absolute, of files and directories that are or were there. */
  paths: ReadonlySet<string>
  /** There were so many that some may be missing: compare everything. */
  isIncomplete: boolean
}

/** A change is handed on when nothing came for so long, so that an editor's save is one batch. docker compose waits 500 ms. */
const QUIET_MS = 50
/** It does not wait longer than this for quiet. */
const LONGEST_MS = 500
/** The kernel's queue of one watcher has 16,384 places: a burst near that may have lost some. */
const MOST_CHANGES = 8_000

/** Watches directories with all below them, and single files, also ones that are not there yet. Dispose it to end. */
export class TreeWatcher implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #onBatch: (batch: ChangeBatch) => void
  #pending = new Set<string>()
  #changes = 0
  #since = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Throws FailedPrecondition where the host allows no more watches. */
  constructor(roots: Iterable<string>, onBatch: (batch: ChangeBatch) => void) {
    this.#onBatch = onBatch
    try {
      for (const root of topmost(roots)) this.#watch(root)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const one of this.#watchers.values()) one.close()
    this.#watchers.clear()
  }

  #watch(root: string): void {
    const stat = statSync(root, { throwIfNoEntry: false })
    if (stat?.isDirectory()) this.#open(root, root, (path) => this.#changed(path))
    // editors replace a file: its directory is what stays. What is not there yet comes to be in one
    else this.#open(root, nearestDirectory(root), (path) => this.#changedNear(root, path))
  }

  #changedNear(root: string, path: string): void {
    if (path !== root && !root.startsWith(`${path}/`)) return
    if (path !== root || statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
      // a directory on the way has come or gone
      this.#watchers.get(root)?.close()
      this.#watch(root)
      if (!existsSync(root) && path !== root) return
    }
    this.#changed(root)
  }

  #open(root: string, directory: string, onChange: (path: string) => void): void {
    const recursive = root === directory
    try {
      const watcher = watch(directory, { recursive, persistent: true }, (_, name) => {
        onChange(name === null ? directory : join(directory, name))
      })
      watcher.on("error", () => this.#lost(root))
      this.#watchers.set(root, watcher)
    } catch (error) {
      if (hasErrno(error, "ENOSPC", "EMFILE"))
        throw new FailedPrecondition(`cannot watch "${root}": this host allows no more watches`, {
          hint: "raise them: sysctl fs.inotify.max_user_watches=1048576 fs.inotify.max_user_instances=1024",
          cause: error,
        })
      throw error
    }
  }

  /** The kernel or the watcher gave up: begin anew, and compare everything. */
  #lost(root: string): void {
    this.#watchers.get(root)?.close()
    this.#watchers.delete(root)
    this.#changes = MOST_CHANGES
    this.#changed(root)
    this.#watch(root)
  }

  #changed(path: string): void {
    this.#pending.add(path)
    this.#changes++
    const now = performance.now()
    if (this.#timer === undefined) this.#since = now
    clearTimeout(this.#timer)
    const wait = Math.max(0, Math.min(QUIET_MS, this.#since + LONGEST_MS - now))
    this.#timer = setTimeout(() => this.#flush(), wait)
  }

  #flush(): void {
    const batch = { paths: this.#pending, isIncomplete: this.#changes >= MOST_CHANGES }
    this.#pending = new Set()
    this.#changes = 0
    this.#timer = undefined
    this.#onBatch(batch)
  }
}

/** Those that are not below another one. Pure. */
function topmost(roots: Iterable<string>): string[] {
  const all = [...new Set([...roots].map((root) => resolve(root)))].toSorted()
  return all.filter(
    (root) => !all.some((other) => other !== root && root.startsWith(`${other}/`) && isDirectory(other)),
  )
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function nearestDirectory(path: string): string {
  const parent = dirname(path)
  return parent === path || isDirectory(parent) ? parent : nearestDirectory(parent)
}
