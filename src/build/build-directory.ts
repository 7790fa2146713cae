import { closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Unavailable } from "../base/errors.ts"
import { namesIn } from "../base/names-in.ts"
import { runAll } from "../base/run-all.ts"
import type { Networks } from "../network/network.ts"
import type { Runtimes } from "../runtime/runtime.ts"
import { mountOrFind, mountPointsBelow, type Mount, unmount, unmountAll } from "../sys/fs/mount.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import { removeTree, removeTreeSync } from "../sys/fs/remove-tree.ts"
import { readText } from "../sys/host.ts"
import { O_CLOEXEC, tryLock } from "../sys/libc.ts"
import { watchBuild, type Watcher } from "./watch-build.ts"

const RUN = /^run-\d+$/
const NETWORK_MARK = /^net-\d+$/
const SNAPSHOT_PREFIX = "build "
const END_POLL_MS = 10
const END_MS = 20_000

/** What the end of a build stands on. The domains load when there is something for them to end. */
export interface BuildDirectoryDeps {
  /** Words of a command that calls `BuildDirectories.sweepKilled`. */
  sweepCommand(build: string): readonly string[]
  runtimes(): Promise<Runtimes>
  networks(): Promise<Networks>
}

/** One RUN of a build. */
export interface RunDirectory {
  /** Of its container, as the runtime knows it. */
  id: string
  path: string
  /** Whoever runs the program holds this descriptor, and with it a lock, as long as the program lives. */
  alive: number
}

/**
 * The directory of one running build, `ROOT/builds/<id>`:
 *
 *   <n>-<name>  what it mounts, unpacks and downloads
 *   run-<n>/    the bundle of a RUN, its own mounts below `mounts`
 *   net-<n>     says that the network endpoint `<id>-<n>` exists
 *
 * Its lock (flock) says that the build lives. The directory of a killed build, whose lock is free, goes with its programs,
 * mounts, endpoints and active snapshots when the next build begins, or at once when it was running a program
 * (watch-build.ts).
 */
export class BuildDirectory implements AsyncDisposable {
  /** Also the first part of the names of its containers and endpoints. */
  readonly id: string
  readonly path: string
  readonly #deps: BuildDirectoryDeps
  readonly #lock: HeldLock
  readonly #mounted = new Set<string>()
  #watcher: Watcher | undefined
  #count = 0

  constructor(builds: string, id: string, lock: HeldLock, deps: BuildDirectoryDeps) {
    this.id = id
    this.path = join(builds, id)
    this.#deps = deps
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

  /** `runtime` is who has to be asked when the program is left over. */
  makeRun(runtime: string): RunDirectory {
    this.#watch()
    const name = `run-${this.#count++}`
    const path = join(this.path, name)
    mkdirSync(path, { mode: 0o700 })
    writeFileSync(join(path, "runtime"), runtime, { mode: 0o600 })
    const alive = openAlive(path)
    tryLock(alive)
    return { id: containerId(this.id, name), path, alive }
  }

  removeRun({ path, alive }: RunDirectory): void {
    closeSync(alive)
    unmountRun(path)
    removeTreeSync(path)
  }

  /** Notes a network endpoint before it is made; gives its name. */
  markNetwork(): string {
    this.#watch()
    const name = `net-${this.#count++}`
    writeFileSync(join(this.path, name), "")
    return endpointName(this.id, name)
  }

  /** How the keys of this build's active snapshots begin: a sweep knows them by it. */
  get snapshotPrefix(): string {
    return snapshotPrefixOf(this.id)
  }

  snapshotKey(): string {
    return `${this.snapshotPrefix}${this.#count++}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runAll("leaving the build", [
      ...[...this.#mounted].map((path) => () => this.unmount(path)),
      () => clearBuildDirectory(this.path, this.id, this.#deps),
      () => this.#lock.unlink(),
      () => this.#lock[Symbol.dispose](),
      () => this.#watcher?.dismiss(),
    ])
  }

  /** From here on a program or an endpoint may be left over when this process is killed. */
  #watch(): void {
    this.#watcher ??= watchBuild(this.#deps.sweepCommand(this.id))
  }
}

/** How the keys of a build's active snapshots begin. */
export function snapshotPrefixOf(build: string): string {
  return `${SNAPSHOT_PREFIX}${build} `
}

/** Ends the programs of a build and removes its directory with all that is mounted there. Safe to repeat. */
export async function clearBuildDirectory(path: string, build: string, deps: BuildDirectoryDeps): Promise<void> {
  const names = namesIn(path)
  await runAll(`clean-up of ${build}`, [
    ...names
      .filter((name) => RUN.test(name))
      .map((name) => () => endRun(join(path, name), containerId(build, name), deps)),
    ...names
      .filter((name) => NETWORK_MARK.test(name))
      .map((name) => () => forgetEndpoint(endpointName(build, name), deps)),
    () => {
      for (const mounted of mountPointsBelow(path)) unmount(mounted)
    },
    () => removeTree(path),
  ])
}

function containerId(build: string, run: string): string {
  return `${build}-${run.slice("run-".length)}`
}

function endpointName(build: string, mark: string): string {
  return `${build}-${mark.slice("net-".length)}`
}

async function endRun(path: string, id: string, deps: BuildDirectoryDeps): Promise<void> {
  const runtimes = await deps.runtimes()
  const runtime = await runtimes.choose(readText(join(path, "runtime")) || undefined)
  const alive = openAlive(path)
  using _ = { [Symbol.dispose]: () => closeSync(alive) }
  const deadline = Date.now() + END_MS
  // it may only be about to be made: so until the runtime, which holds the lock, has ended
  do {
    await runtime.delete(id, { force: true })
    if (tryLock(alive)) return unmountRun(path)
    await sleep(END_POLL_MS)
  } while (Date.now() < deadline)
  throw new Unavailable(`${runtime.name} cannot end "${id}"`)
}

/** Its namespace, with the veth, has gone with the process that held it. */
async function forgetEndpoint(endpoint: string, deps: BuildDirectoryDeps): Promise<void> {
  const networks = await deps.networks()
  await networks.teardown(networks.get("bridge"), endpoint, undefined)
}

/** Where the mounts of a run lie: one tmpfs, and all else on it. */
export function mountsDirectory(run: string): string {
  return join(run, "mounts")
}

function openAlive(run: string): number {
  return openSync(join(run, "alive"), constants.O_RDWR | constants.O_CREAT | O_CLOEXEC, 0o600)
}

function unmountRun(run: string): void {
  unmountAll(mountsDirectory(run))
}
