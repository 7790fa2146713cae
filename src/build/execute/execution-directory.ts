/**
 * Directories of one executor, and what killed ones left.
 *
 *   <runRoot>/build/executors/<executor>/<run>/   bundle of a RUN, mounts of its own below `mounts`
 *   <runRoot>/build/executors/<executor>/net-<n>  says that the endpoint `<executor>-<n>` exists
 *   <root>/build/scratch/<executor>/            files that are thrown away
 *
 * The executor holds a lock (flock) of its name as long as its process lives: whoever gets the lock of another's directories
 * takes back what they tell of. A shell sees the end of our process by a pipe, and has a new skiff do that at once: what a
 * killed build was running ends within moments.
 */
import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { namesIn } from "../../base/names-in.ts"
import { randomHex } from "../../base/random-hex.ts"
import { runAll } from "../../base/run-all.ts"
import { FileLocks, type HeldLock } from "../../sys/fs/file-locks.ts"
import { readText } from "../../sys/host.ts"
import { close, O_CLOEXEC, pipe, tryLock } from "../../sys/libc.ts"
import { unmount } from "../../sys/fs/mount.ts"
import { spawnProcess } from "../../sys/process/process.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import type { ExecutorDeps } from "./deps.ts"

const NETWORK_MARK = /^net-(\d+)$/
const END_POLL_MS = 10
const END_MS = 20_000

export class ExecutionDirectory implements AsyncDisposable {
  /** Also the first part of the names of its containers and endpoints. */
  readonly executor: string
  readonly #deps: ExecutorDeps
  readonly #lock: HeldLock
  readonly #watcher: Watcher
  #count = 0

  private constructor(deps: ExecutorDeps, executor: string, lock: HeldLock) {
    this.#deps = deps
    this.executor = executor
    this.#lock = lock
    this.#watcher = startWatcher(deps.sweepCommand(executor))
  }

  /** A place of our own, after those of the dead have been cleared. */
  static async open(deps: ExecutorDeps): Promise<ExecutionDirectory> {
    await sweepDeadExecutors(deps)
    const executor = `build-${randomHex(6)}`
    const lock = await locks(deps).acquire(executor)
    mkdirSync(executorDirectory(deps, executor), { recursive: true, mode: 0o700 })
    return new ExecutionDirectory(deps, executor, lock)
  }

  /**
   * A directory for one RUN; `runtime` is who has to be asked when it is left over. Its name is the container's id. Whoever runs
   * the program holds the descriptor `alive` as long as it does.
   */
  makeRun(runtime: string): { id: string; directory: string; alive: number } {
    const id = `${this.executor}-${this.#count++}`
    const directory = join(executorDirectory(this.#deps, this.executor), id)
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(join(directory, "runtime"), runtime, { mode: 0o600 })
    const alive = openAlive(directory)
    tryLock(alive)
    return { id, directory, alive }
  }

  removeRun({ directory, alive }: { directory: string; alive: number }): void {
    closeSync(alive)
    unmountRun(directory)
    removeTree(directory)
  }

  /** An empty directory on the disk of the store. */
  makeScratch(): string {
    const directory = join(scratchDirectory(this.#deps, this.executor), String(this.#count++))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return directory
  }

  /** Notes the endpoint before it is made; gives its name. */
  markNetwork(): string {
    const number = this.#count++
    writeFileSync(join(executorDirectory(this.#deps, this.executor), `net-${number}`), "")
    return `${this.executor}-${number}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await clear(this.#deps, this.executor)
    this.#lock.unlink()
    this.#lock[Symbol.dispose]()
    this.#watcher.dismiss()
  }
}

interface Watcher {
  /** All is in order: it ends, and does nothing. */
  dismiss(): void
}

/** `read` fails at the end of the pipe: we have died. A shell costs a millisecond and next to no memory. */
const WATCH = 'read -r _ || exec "$@"'

function startWatcher(sweepCommand: readonly string[]): Watcher {
  const { readEnd, writeEnd } = pipe()
  try {
    spawnProcess(["/bin/sh", "-c", WATCH, "sh", ...sweepCommand], {
      cwd: "/",
      stdio: [readEnd, "ignore", "ignore"],
      detached: true,
    }).unref()
  } finally {
    close(readEnd)
  }
  return {
    dismiss: () => {
      try {
        writeSync(writeEnd, "\n")
      } catch (error) {
        log.debug("the shell that watched the build has gone", { error: String(error) })
      }
      close(writeEnd)
    },
  }
}

/** Of builds whose process has gone: ends what they were running, and takes back all else. */
async function sweepDeadExecutors(deps: ExecutorDeps): Promise<void> {
  for (const executor of new Set([...namesIn(executorsDirectory(deps)), ...namesIn(scratchesDirectory(deps))])) {
    const lock = locks(deps).tryAcquire(executor)
    if (lock !== undefined) await sweep(deps, executor, lock) // else alive
  }
}

/** The same for one of which it is known that it dies. */
export async function sweepDeadExecutor(deps: ExecutorDeps, executor: string): Promise<void> {
  if (namesIn(executorsDirectory(deps)).includes(executor))
    await sweep(deps, executor, await locks(deps).acquire(executor))
}

async function sweep(deps: ExecutorDeps, executor: string, lock: HeldLock): Promise<void> {
  using _ = lock
  try {
    await clear(deps, executor)
    lock.unlink()
  } catch (error) {
    log.warn(`what the killed build ${executor} left could not all be removed`, { reason: String(error) })
  }
}

const executorsDirectory = ({ runRoot }: ExecutorDeps): string => join(runRoot, "build", "executors")
const executorDirectory = (deps: ExecutorDeps, executor: string): string => join(executorsDirectory(deps), executor)
const scratchesDirectory = ({ root }: ExecutorDeps): string => join(root, "build", "scratch")
const scratchDirectory = (deps: ExecutorDeps, executor: string): string => join(scratchesDirectory(deps), executor)
const locks = ({ runRoot }: ExecutorDeps): FileLocks => new FileLocks(join(runRoot, "build", "locks"), "build executor")

/** Every step runs, whatever fails, and is safe to repeat. */
async function clear(deps: ExecutorDeps, executor: string): Promise<void> {
  const directory = executorDirectory(deps, executor)
  const names = namesIn(directory)
  await runAll(`clean-up of ${executor}`, [
    ...names.flatMap((name) => (NETWORK_MARK.test(name) ? [] : [() => endRun(deps, join(directory, name), name)])),
    ...names.flatMap((name) => {
      const [, number] = NETWORK_MARK.exec(name) ?? []
      return number === undefined ? [] : [() => forgetEndpoint(deps, `${executor}-${number}`)]
    }),
    () => removeTree(directory),
    () => removeTree(scratchDirectory(deps, executor)),
    () => removeEmpty(scratchesDirectory(deps)),
  ])
}

async function endRun(deps: ExecutorDeps, directory: string, id: string): Promise<void> {
  const runtimes = await deps.runtimes()
  const runtime = await runtimes.choose(readText(join(directory, "runtime")) || undefined)
  const alive = openAlive(directory)
  using _ = { [Symbol.dispose]: () => closeSync(alive) }
  const deadline = Date.now() + END_MS
  // it may only be about to be made: so until the runtime, which holds the lock, has ended
  do {
    await runtime.delete(id, { force: true })
    if (tryLock(alive)) return unmountRun(directory)
    await sleep(END_POLL_MS)
  } while (Date.now() < deadline)
  throw new Unavailable(`${runtime.name} does not end "${id}"`)
}

/** Its namespace, with the veth, has gone with the process that held it. */
async function forgetEndpoint(deps: ExecutorDeps, endpoint: string): Promise<void> {
  const networks = await deps.networks()
  await networks.teardown(networks.get("bridge"), endpoint, undefined)
}

/** Where the mounts of a run lie: one tmpfs, and all else on it. */
export function mountsDirectory(directory: string): string {
  return join(directory, "mounts")
}

function openAlive(directory: string): number {
  return openSync(join(directory, "alive"), constants.O_RDWR | constants.O_CREAT | O_CLOEXEC, 0o600)
}

function unmountRun(directory: string): void {
  while (unmount(mountsDirectory(directory))) continue
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // another executor's is in it, or it was never made
  }
}
