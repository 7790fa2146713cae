/**
 * Folders of one worker, and what killed ones left.
 *
 *   <runRoot>/build/workers/<worker>/<run>/   bundle of a RUN, mounts of its own below `mounts`
 *   <runRoot>/build/workers/<worker>/net-<n>  says that the endpoint `<worker>-<n>` exists
 *   <root>/build/scratch/<worker>/            files that are thrown away
 *
 * The worker holds a lock (flock) of its name as long as its process lives: whoever gets the lock of another's folders
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
import type { WorkerHost } from "./deps.ts"

const NETWORK_MARK = /^net-(\d+)$/
const END_POLL_MS = 10
const END_MS = 20_000

export class WorkPlace implements AsyncDisposable {
  /** Also the first part of the names of its containers and endpoints. */
  readonly worker: string
  readonly #host: WorkerHost
  readonly #lock: HeldLock
  readonly #watcher: Watcher
  #count = 0

  private constructor(host: WorkerHost, worker: string, lock: HeldLock) {
    this.#host = host
    this.worker = worker
    this.#lock = lock
    this.#watcher = startWatcher(host.sweepCommand(worker))
  }

  /** A place of our own, after those of the dead have been cleared. */
  static async open(host: WorkerHost): Promise<WorkPlace> {
    await sweepDeadWorkers(host)
    const worker = `build-${randomHex(6)}`
    const lock = await locks(host).acquire(worker)
    mkdirSync(workerFolder(host, worker), { recursive: true, mode: 0o700 })
    return new WorkPlace(host, worker, lock)
  }

  /**
   * A folder for one RUN; `runtime` is who has to be asked when it is left over. Its name is the container's id. Whoever runs
   * the program holds the descriptor `alive` as long as it does.
   */
  makeRun(runtime: string): { id: string; directory: string; alive: number } {
    const id = `${this.worker}-${this.#count++}`
    const directory = join(workerFolder(this.#host, this.worker), id)
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

  /** An empty folder on the disk of the store. */
  makeScratch(): string {
    const folder = join(scratchFolder(this.#host, this.worker), String(this.#count++))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  /** Notes the endpoint before it is made; gives its name. */
  markNetwork(): string {
    const number = this.#count++
    writeFileSync(join(workerFolder(this.#host, this.worker), `net-${number}`), "")
    return `${this.worker}-${number}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await clear(this.#host, this.worker)
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
async function sweepDeadWorkers(host: WorkerHost): Promise<void> {
  for (const worker of new Set([...namesIn(workersFolder(host)), ...namesIn(scratchesFolder(host))])) {
    const lock = locks(host).tryAcquire(worker)
    if (lock !== undefined) await sweep(host, worker, lock) // else alive
  }
}

/** The same for one of which it is known that it dies. */
export async function sweepDeadWorker(host: WorkerHost, worker: string): Promise<void> {
  if (namesIn(workersFolder(host)).includes(worker)) await sweep(host, worker, await locks(host).acquire(worker))
}

async function sweep(host: WorkerHost, worker: string, lock: HeldLock): Promise<void> {
  using _ = lock
  try {
    await clear(host, worker)
    lock.unlink()
  } catch (error) {
    log.warn(`what the killed build ${worker} left could not all be removed`, { reason: String(error) })
  }
}

const workersFolder = ({ runRoot }: WorkerHost): string => join(runRoot, "build", "workers")
const workerFolder = (host: WorkerHost, worker: string): string => join(workersFolder(host), worker)
const scratchesFolder = ({ root }: WorkerHost): string => join(root, "build", "scratch")
const scratchFolder = (host: WorkerHost, worker: string): string => join(scratchesFolder(host), worker)
const locks = ({ runRoot }: WorkerHost): FileLocks => new FileLocks(join(runRoot, "build", "locks"), "build worker")

/** Every step runs, whatever fails, and is safe to repeat. */
async function clear(host: WorkerHost, worker: string): Promise<void> {
  const folder = workerFolder(host, worker)
  const names = namesIn(folder)
  await runAll(`clean-up of ${worker}`, [
    ...names.flatMap((name) => (NETWORK_MARK.test(name) ? [] : [() => endRun(host, join(folder, name), name)])),
    ...names.flatMap((name) => {
      const [, number] = NETWORK_MARK.exec(name) ?? []
      return number === undefined ? [] : [() => forgetEndpoint(host, `${worker}-${number}`)]
    }),
    () => removeTree(folder),
    () => removeTree(scratchFolder(host, worker)),
    () => removeEmpty(scratchesFolder(host)),
  ])
}

async function endRun(host: WorkerHost, directory: string, id: string): Promise<void> {
  const runtimes = await host.runtimes()
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
async function forgetEndpoint(host: WorkerHost, endpoint: string): Promise<void> {
  const networks = await host.networks()
  await networks.teardown(networks.get("bridge"), endpoint, undefined)
}

/** Where the mounts of a run lie: one tmpfs, and all else on it. */
export function mountsFolder(directory: string): string {
  return join(directory, "mounts")
}

function openAlive(directory: string): number {
  return openSync(join(directory, "alive"), constants.O_RDWR | constants.O_CREAT | O_CLOEXEC, 0o600)
}

function unmountRun(directory: string): void {
  while (unmount(mountsFolder(directory))) continue
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // another worker's is in it, or it was never made
  }
}
