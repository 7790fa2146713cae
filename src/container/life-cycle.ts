/** Changes of a container's life: each takes its lock, reads the record anew, acts, and lets go. */
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, isSkiffError, NotFound } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { OnProgress } from "../base/progress.ts"
import type { Monitor } from "../runtime/runtime.ts"
import { parseSignal } from "../sys/process/signals.ts"
import type { Container, ContainerOptions, StartedContainer } from "./container.ts"
import { createContainer } from "./create.ts"
import type { ProcessIdentity } from "../sys/process/process-identity.ts"
import type { ContainerHost } from "./deps.ts"
import { launch, type Launched } from "./launch.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import { isRunning, toContainer, UNKNOWN_EXIT_CODE } from "./observe.ts"
import { exitFile } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { destroy } from "./remove.ts"
import { settle } from "./reconcile.ts"

const SIGKILL = 9
const SIGTERM = 15
/** SIGKILL takes effect at once, but for a process that hangs in the kernel. */
const KILL_WAIT_MS = 10_000
/** How long a back-off outlives the `stop` or `rm` that made it void. */
const SLEEP_CHECK_MS = 500

export async function create(
  host: ContainerHost,
  options: ContainerOptions,
  onProgress?: OnProgress,
): Promise<Container> {
  const { record, lock } = await createContainer(host, options, { willStart: false, onProgress })
  lock[Symbol.dispose]()
  return toContainer(record, host)
}

/** Create and start under one lock: nobody sees the container in between. */
export async function run(
  host: ContainerHost,
  options: ContainerOptions,
  onProgress?: OnProgress,
  { attach = false, onCreated }: { attach?: boolean; onCreated?: (container: Container) => void } = {},
): Promise<StartedContainer> {
  const { record, lock } = await createContainer(host, options, { willStart: true, onProgress })
  using _ = lock
  try {
    onCreated?.(toContainer(record, host))
  } catch (error) {
    await destroy(host, record, { volumes: true })
    lock.unlink()
    throw error
  }
  return started(host, await launchOrUnlink(host, record, lock, { attach }))
}

export async function start(
  host: ContainerHost,
  nameOrId: string,
  { attach = false }: { attach?: boolean } = {},
): Promise<StartedContainer> {
  const { id } = host.records.get(nameOrId)
  using lock = await host.locks.acquire(id)
  const record = await settled(host, id, lock)
  if (record.status === "paused")
    throw new FailedPrecondition(`container "${record.name}" is paused`, { hint: `skiff unpause ${record.name}` })
  if (isRunning(record, host)) return attachRunning(host, record, { attach, stdin: record.spec.options.stdin })
  // a start by hand begins the counting anew
  record.state.restartCount = 0
  delete record.state.restartDelayMs
  return started(host, await launchOrUnlink(host, record, lock, { attach }))
}

/** Joins a container that runs already. */
export async function attachRunning(
  host: ContainerHost,
  record: ContainerRecord,
  { attach, stdin }: { attach: boolean; stdin: boolean },
): Promise<StartedContainer> {
  const { pid, monitorPid } = record.state
  if (pid === undefined || monitorPid === undefined || !isRunning(record, host))
    throw new FailedPrecondition(`container "${record.name}" is not running`, { hint: `skiff start ${record.name}` })
  const runtimes = await host.runtimes()
  const bundle = runtimes.bundle(record.id)
  const monitor = runtimes.findMonitor({ id: record.id, bundle, pid, monitorPid })
  const attachment = attach ? await runtimes.attach(bundle, { stdin }) : undefined
  return started(host, { record, monitor, attachment })
}

/** Stop signal, then SIGKILL when the time is over. The lock is not held while waiting: the monitor cleans up meanwhile. */
export async function stop(
  host: ContainerHost,
  nameOrId: string,
  { timeoutSeconds, signal }: { timeoutSeconds?: number; signal?: string } = {},
): Promise<void> {
  const found = host.records.get(nameOrId)
  const { stopSignal, stopTimeoutSeconds } = found.spec.run
  const number = parseSignal(signal ?? stopSignal)
  const monitor = await signalUnderLock(host, found.id, number)
  if (!monitor) return
  const seconds = timeoutSeconds ?? stopTimeoutSeconds
  if (!(await within(monitor.exited, seconds < 0 ? Infinity : seconds * 1000))) {
    const killed = await signalUnderLock(host, found.id, SIGKILL)
    if (killed) await within(killed.exited, KILL_WAIT_MS)
  }
  await settleNow(host, found.id)
}

export async function kill(host: ContainerHost, nameOrId: string, signal: string): Promise<void> {
  const number = parseSignal(signal)
  const record = host.records.get(nameOrId)
  const monitor = await signalUnderLock(host, record.id, number)
  if (!monitor)
    throw new FailedPrecondition(`cannot kill container "${record.name}": it is not running`, {
      hint: `see its state: skiff ps --all --filter name=${record.name}`,
    })
  if (number !== SIGKILL) return
  await within(monitor.exited, KILL_WAIT_MS)
  await settleNow(host, record.id)
}

/**
 * Sends a signal; gives the monitor, which tells the container's end, or undefined when it does not run. One that waits
 * for its restart is brought to `exited`.
 */
async function signalUnderLock(host: ContainerHost, id: string, signal: number): Promise<Monitor | undefined> {
  using lock = await host.locks.acquire(id)
  const record = await settle(host, id)
  if (!record) {
    lock.unlink()
    return undefined
  }
  const stopSignal = parseSignal(record.spec.run.stopSignal)
  // HUP or USR1 are words to the program; these mean its end, which no restart policy shall undo
  record.state.stopRequested ||= [SIGKILL, SIGTERM, stopSignal].includes(signal)
  if (record.status === "restarting") {
    record.status = "exited"
    host.records.save(record)
    return undefined
  }
  const { pid, monitorPid } = record.state
  if (!isRunning(record, host) || pid === undefined || monitorPid === undefined) return undefined
  host.records.save(record)
  const runtimes = await host.runtimes()
  const runtime = await runtimes.choose(record.spec.runtime)
  const monitor = runtimes.findMonitor({ id, bundle: runtimes.bundle(id), pid, monitorPid })
  try {
    await runtime.kill(id, signal)
    if (record.status === "paused" && record.state.stopRequested) {
      // a frozen process takes a signal only when it runs again
      await runtime.resume(id)
      record.status = "running"
      host.records.save(record)
    }
  } catch (error) {
    // it may have ended in this very moment
    if (isRunning(record, host)) throw error
  }
  return monitor
}

export async function restart(
  host: ContainerHost,
  nameOrId: string,
  options: { timeoutSeconds?: number; signal?: string } = {},
): Promise<void> {
  const { id } = host.records.get(nameOrId)
  await stop(host, id, options)
  const again = await start(host, id)
  again.release()
}

/** With `owner`, only while that process lives: killed, it leaves no program that stands still for ever. */
export async function pause(host: ContainerHost, nameOrId: string, owner?: ProcessIdentity): Promise<void> {
  await freeze(host, nameOrId, "running", "paused", "pause", owner)
}

export async function unpause(host: ContainerHost, nameOrId: string): Promise<void> {
  await freeze(host, nameOrId, "paused", "running", "resume")
}

async function freeze(
  host: ContainerHost,
  nameOrId: string,
  from: "running" | "paused",
  to: "running" | "paused",
  verb: "pause" | "resume",
  owner?: ProcessIdentity,
): Promise<void> {
  const { id } = host.records.get(nameOrId)
  using lock = await host.locks.acquire(id)
  const record = await settled(host, id, lock)
  if (record.status !== from || !isRunning(record, host))
    throw new FailedPrecondition(`container "${record.name}" is not ${from}`, {
      hint: record.status === to ? `it is ${to} already` : `start it first: skiff start ${record.name}`,
    })
  const runtime = await (await host.runtimes()).choose(record.spec.runtime)
  if (owner !== undefined) {
    record.state.frozenBy = owner
    host.records.save(record)
  }
  await runtime[verb](id)
  crashPoint(`${verb}:done`)
  record.status = to
  if (verb === "resume") delete record.state.frozenBy
  host.records.save(record)
}

export async function remove(
  host: ContainerHost,
  nameOrId: string,
  { force = false, volumes = false }: { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  const { id } = host.records.get(nameOrId)
  using lock = await host.locks.acquire(id)
  const record = await settle(host, id)
  if (record) {
    const isActive = isRunning(record, host) || record.status === "restarting"
    if (isActive && !force)
      throw new FailedPrecondition(
        `cannot remove container "${record.name}": container is ${record.status}: stop the container before removing or force remove`,
        { hint: `skiff stop ${record.name}, or skiff rm --force ${record.name}` },
      )
    await destroy(host, record, { volumes })
  }
  lock.unlink()
}

/** The exit command's work, and a restart's: settles the container, and when its policy says so, starts it after the back-off. */
export async function cleanup(host: ContainerHost, id: string): Promise<void> {
  // the monitor starts us in the run directory, which goes with the container's end
  process.chdir("/")
  const record = await settleNow(host, id)
  if (record?.status !== "restarting" || record.state.bootId !== host.bootId) return
  const { restartAt = 0 } = record.state
  crashPoint("restart:recorded")
  if (!(await sleepUntil(restartAt, () => isWaitingFor(host, id, restartAt)))) return
  using lock = await host.locks.acquire(id)
  const now = await settle(host, id)
  if (!now) return lock.unlink()
  if (!isWaitingFor(host, id, restartAt)) return
  now.state.restartCount++
  const { monitor } = await launchOrUnlink(host, now, lock)
  monitor.release()
}

/** False when the container was stopped meanwhile, removed, started by hand, or taken over by another sleeper. */
function isWaitingFor(host: ContainerHost, id: string, restartAt: number): boolean {
  const record = host.records.byId(id)
  return record?.status === "restarting" && record.state.restartAt === restartAt
}

/** Sleeps as long as `goesOn`; says whether it did until the end. */
async function sleepUntil(time: number, goesOn: () => boolean): Promise<boolean> {
  while (goesOn()) {
    const leftMs = time - Date.now()
    if (leftMs <= 0) return true
    await sleep(Math.min(leftMs, SLEEP_CHECK_MS))
  }
  return false
}

/** Settles a container under its lock; the lock file of one that is gone goes too. Undefined when it is gone. */
export async function settleNow(host: ContainerHost, id: string): Promise<ContainerRecord | undefined> {
  // without a row there is nothing to lock: an exit command that comes late makes no new lock file
  if (!host.records.byId(id)) return undefined
  using lock = await host.locks.acquire(id)
  const record = await settle(host, id)
  if (!record) lock.unlink()
  return record
}

async function settled(host: ContainerHost, id: string, lock: HeldLock): Promise<ContainerRecord> {
  const record = await settle(host, id)
  if (record) return record
  lock.unlink()
  throw new NotFound(`no such container: "${id}"`, { hint: "it was just removed" })
}

async function launchOrUnlink(
  host: ContainerHost,
  record: ContainerRecord,
  lock: HeldLock,
  options: { attach?: boolean } = {},
): Promise<Launched> {
  try {
    return await launch(host, record, options)
  } catch (error) {
    if (!host.records.byId(record.id)) lock.unlink()
    throw error
  }
}

function started(host: ContainerHost, { record, monitor, attachment }: Launched): StartedContainer {
  let exited: Promise<number> | undefined
  return {
    container: toContainer(record, host),
    ...(attachment === undefined ? {} : { attachment }),
    // asked for late: who detaches must not clean up
    get exited() {
      return (exited ??= exitedAndSettled(host, record.id, monitor))
    },
    release: () => monitor.release(),
  }
}

/** The clean-up of a foreground. What it cannot do, the monitor's exit command or the next command does. */
async function exitedAndSettled(host: ContainerHost, id: string, monitor: Monitor): Promise<number> {
  let code: number | undefined
  try {
    code = await monitor.exited
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  try {
    const record = await settleNow(host, id)
    code ??= record?.state.exitCode
  } catch (error) {
    log.warn(`clean-up of container ${id} failed; the next command goes on with it`, { reason: String(error) })
  }
  if (!host.records.byId(id)) rmSync(exitFile(host, id), { force: true })
  return code ?? UNKNOWN_EXIT_CODE
}

/** Whether `promise` settles in time. */
async function within(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController()
  // setTimeout takes 31 bits
  const limit = Math.min(timeoutMs, 2 ** 31 - 1)
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      sleep(limit, false, { signal: timer.signal }),
    ])
  } finally {
    timer.abort()
  }
}
