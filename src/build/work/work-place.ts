/**
 * Folders of one worker, and what killed ones left.
 *
 *   <runRoot>/build/workers/<worker>/<run>/   bundle of a RUN, mounts of its own below `mounts`
 *   <runRoot>/build/workers/<worker>/net-<n>  says that the endpoint `<worker>-<n>` exists
 *   <root>/build/scratch/<worker>/            files that are thrown away
 *
 * The worker holds a lock (flock) of its name as long as its process lives: whoever gets the lock of another's folders
 * takes back what they tell of.
 */
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { log } from "../../base/log.ts"
import { namesIn } from "../../base/names-in.ts"
import { randomHex } from "../../base/random-hex.ts"
import { runAll } from "../../base/run-all.ts"
import { FileLocks, type HeldLock } from "../../sys/file-locks.ts"
import { readText } from "../../sys/host.ts"
import { unmount } from "../../sys/mount.ts"
import { removeTree } from "../../sys/remove-tree.ts"
import type { WorkerHost } from "./worker-host.ts"

const NETWORK_MARK = /^net-(\d+)$/

export class WorkPlace implements AsyncDisposable {
  /** Also the first part of the names of its containers and endpoints. */
  readonly worker: string
  readonly #host: WorkerHost
  readonly #lock: HeldLock
  #count = 0

  private constructor(host: WorkerHost, worker: string, lock: HeldLock) {
    this.#host = host
    this.worker = worker
    this.#lock = lock
  }

  /** A place of our own, after those of the dead have been cleared. */
  static async open(host: WorkerHost): Promise<WorkPlace> {
    await sweepDeadWorkers(host)
    const worker = `build-${randomHex(6)}`
    const lock = await locks(host).acquire(worker)
    mkdirSync(workerFolder(host, worker), { recursive: true, mode: 0o700 })
    return new WorkPlace(host, worker, lock)
  }

  /** A folder for one RUN; `runtime` is who has to be asked when it is left over. Its name is the container's id. */
  makeRun(runtime: string): { id: string; directory: string } {
    const id = `${this.worker}-${this.#count++}`
    const directory = join(workerFolder(this.#host, this.worker), id)
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(join(directory, "runtime"), runtime, { mode: 0o600 })
    return { id, directory }
  }

  /** Safe to repeat. */
  removeRun(directory: string): void {
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
  }
}

const workersFolder = ({ runRoot }: WorkerHost): string => join(runRoot, "build", "workers")
const workerFolder = (host: WorkerHost, worker: string): string => join(workersFolder(host), worker)
const scratchesFolder = ({ root }: WorkerHost): string => join(root, "build", "scratch")
const scratchFolder = (host: WorkerHost, worker: string): string => join(scratchesFolder(host), worker)
const locks = ({ runRoot }: WorkerHost): FileLocks => new FileLocks(join(runRoot, "build", "locks"), "build worker")

async function sweepDeadWorkers(host: WorkerHost): Promise<void> {
  for (const worker of new Set([...namesIn(workersFolder(host)), ...namesIn(scratchesFolder(host))])) {
    using lock = locks(host).tryAcquire(worker)
    if (lock === undefined) continue // alive
    try {
      await clear(host, worker)
      lock.unlink()
    } catch (error) {
      log.warn(`what the killed build ${worker} left could not all be removed`, { reason: String(error) })
    }
  }
}

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
  await runtime.delete(id, { force: true })
  unmountRun(directory)
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
