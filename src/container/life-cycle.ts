/** Changes of a container's life: each takes its lock, reads the record anew, acts, and lets go. */
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { heeding, orCancelled, throwIfAborted } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, isSkiffError, NotFound } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { OnProgress } from "../base/progress.ts"
import { trace } from "../base/trace.ts"
import type { Monitor } from "../runtime/runtime.ts"
import { callerName } from "../sys/caller-name.ts"
import { parseSignal, signalName } from "../sys/process/signals.ts"
import type { Abortable, Container, ContainerOptions, RunOptions, StartedContainer } from "./container.ts"
import { createContainer } from "./create.ts"
import type { ProcessIdentity } from "../sys/process/process-identity.ts"
import { runtimeOf } from "./time-namespace.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { launch, startHeld, type Launched, type LaunchOptions } from "./launch.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import { isSeenTo, OWN_SLEEP_MS } from "./health/duty.ts"
import { isRunning, toContainer, UNKNOWN_EXIT_CODE } from "./observe.ts"
import { exitFile } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { notRunning, wrongState } from "./wrong-state.ts"
import { destroy } from "./remove.ts"
import { reconcile } from "./reconcile.ts"

const SIGKILL = 9
const SIGTERM = 15
/** SIGKILL takes effect at once, but for a process that hangs in the kernel. */
const KILL_WAIT_MS = 10_000
/** How long a back-off outlives the `stop` or `rm` that made it void. */
const SLEEP_CHECK_MS = 500

/** See `Containers.create`. */
export async function create(
  deps: ContainerDeps,
  options: ContainerOptions,
  onProgress?: OnProgress,
  { abort }: Abortable = {},
): Promise<Container> {
  const { record, lock, warnings } = await createContainer(deps, options, { willStart: false, onProgress, abort })
  lock[Symbol.dispose]()
  return { ...toContainer(record, deps), warnings }
}

/** Create and start under one lock: nobody sees the container in between. */
export async function run(
  deps: ContainerDeps,
  options: ContainerOptions,
  onProgress?: OnProgress,
  { attach = false, onCreated, onStep, preservedFds, abort }: RunOptions = {},
): Promise<StartedContainer> {
  const { record, lock, warnings } = await createContainer(deps, options, { willStart: true, onProgress, abort })
  using _ = lock
  try {
    onCreated?.({ ...toContainer(record, deps), warnings })
  } catch (error) {
    await destroy(deps, record, { volumes: true })
    lock.unlink()
    throw error
  }
  return started(deps, await launchOrUnlink(deps, record, lock, { attach, isNew: true, onStep, preservedFds, abort }))
}

/** See `Containers.start`. */
export async function start(
  deps: ContainerDeps,
  nameOrId: string,
  { attach = false, abort }: Abortable & { attach?: boolean } = {},
): Promise<StartedContainer> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (record.status === "paused")
    throw new FailedPrecondition(`container "${record.name}" is paused`, {
      hint: { do: "unpause", container: record.name },
    })
  if (isRunning(record, deps)) return attachRunning(deps, record, { attach, stdin: record.spec.options.stdin })
  if (record.status === "initialized") return started(deps, await startHeld(deps, record, { attach }))
  // a start by hand begins the counting anew
  record.state.restartCount = 0
  delete record.state.restartDelayMs
  return started(deps, await launchOrUnlink(deps, record, lock, { attach, abort }))
}

/** See `Containers.init`. */
export async function init(deps: ContainerDeps, nameOrId: string, { abort }: Abortable = {}): Promise<Container> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (isRunning(record, deps) || record.status === "initialized")
    throw wrongState(record, `container "${record.name}" is ${record.status} already`, {
      do: "state",
      container: record.name,
    })
  const { monitor } = await launchOrUnlink(deps, record, lock, { hold: true, abort })
  monitor.release()
  return toContainer(deps.records.byId(id) ?? record, deps)
}

/** Joins a container that runs already. */
export async function attachRunning(
  deps: ContainerDeps,
  record: ContainerRecord,
  { attach, stdin }: { attach: boolean; stdin: boolean },
): Promise<StartedContainer> {
  const { pid, monitorPid } = record.state
  if (pid === undefined || monitorPid === undefined || !isRunning(record, deps)) throw notRunning(record)
  const runtimes = await deps.runtimes()
  const bundle = runtimes.bundle(record.id)
  const monitor = runtimes.findMonitor({ id: record.id, bundle, pid, monitorPid })
  const attachment = attach ? await runtimes.attach(bundle, { stdin }) : undefined
  if (attachment !== undefined) deps.records.tell(containerEvent(record, "attach"))
  return started(deps, { record, monitor, attachment })
}

/** Stop signal, then SIGKILL when the time is over. The lock is not held while waiting: the monitor cleans up meanwhile. */
export async function stop(
  deps: ContainerDeps,
  nameOrId: string,
  { timeoutSeconds, signal, abort }: Abortable & { timeoutSeconds?: number; signal?: string } = {},
): Promise<void> {
  const found = deps.records.get(nameOrId)
  const { stopSignal, stopTimeoutSeconds } = found.spec.run
  const number = parseSignal(signal ?? stopSignal)
  const monitor = await signalUnderLock(deps, found.id, number, { abort })
  if (!monitor) return
  const seconds = timeoutSeconds ?? stopTimeoutSeconds
  if (!(await within(monitor.exited, seconds < 0 ? Infinity : seconds * 1000, abort))) {
    const killed = await signalUnderLock(deps, found.id, SIGKILL, { abort })
    if (killed) await within(killed.exited, KILL_WAIT_MS, abort)
  }
  await reconcileNow(deps, found.id, abort)
  deps.records.tell(containerEvent(found, "stop"))
}

/** Ends one that has become unhealthy, so that it starts again after its back-off. Does nothing when it does not run. */
export async function restartUnhealthy(deps: ContainerDeps, id: string): Promise<void> {
  const { stopSignal, stopTimeoutSeconds } = deps.records.get(id).spec.run
  const ends = "to start again" as const
  const monitor = await signalUnderLock(deps, id, parseSignal(stopSignal), { ends })
  if (!monitor) return
  if (!(await within(monitor.exited, stopTimeoutSeconds < 0 ? Infinity : stopTimeoutSeconds * 1000))) {
    const killed = await signalUnderLock(deps, id, SIGKILL, { ends })
    if (killed) await within(killed.exited, KILL_WAIT_MS)
  }
  await reconcileNow(deps, id)
}

/** See `Containers.kill`. `isRequest`: somebody wants its end, which no restart policy shall undo. */
export async function kill(
  deps: ContainerDeps,
  nameOrId: string,
  signal: string,
  { abort, isRequest = true }: Abortable & { isRequest?: boolean } = {},
): Promise<void> {
  const number = parseSignal(signal)
  const record = deps.records.get(nameOrId)
  const monitor = await signalUnderLock(deps, record.id, number, {
    abort,
    ends: isRequest ? "for good" : "by its policy",
  })
  if (!monitor)
    throw wrongState(record, `cannot kill container "${record.name}": it is not running`, {
      do: "state",
      container: record.name,
    })
  if (number !== SIGKILL) return
  await within(monitor.exited, KILL_WAIT_MS, abort)
  await reconcileNow(deps, record.id, abort)
}

interface Signalling extends Abortable {
  /** What shall become of a container that ends by it. Default `for good`. */
  ends?: "for good" | "by its policy" | "to start again"
}

/**
 * Sends a signal; gives the monitor, which tells the container's end, or undefined when it does not run. One that waits
 * for its restart is brought to `exited`.
 */
async function signalUnderLock(
  deps: ContainerDeps,
  id: string,
  signal: number,
  { abort, ends = "for good" }: Signalling = {},
): Promise<Monitor | undefined> {
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (!record) {
    lock.unlink()
    return undefined
  }
  const stopSignal = parseSignal(record.spec.run.stopSignal)
  // HUP or USR1 are words to the program; these mean its end, which no restart policy shall undo
  record.state.sentSignal = { signal: signalName(signal), user: callerName(), at: Date.now() }
  record.state.stopRequested ||= ends === "for good" && [SIGKILL, SIGTERM, stopSignal].includes(signal)
  // whoever stops it meanwhile has the last word
  record.state.restartRequested = ends === "to start again" && !record.state.stopRequested
  await deps.records.whenFree(abort)
  if (record.status === "restarting") {
    if (ends !== "for good") return undefined
    record.status = "exited"
    deps.records.save(record, [containerEvent(record, "stop")])
    return undefined
  }
  const { pid, monitorPid } = record.state
  if (!isRunning(record, deps) || pid === undefined || monitorPid === undefined) return undefined
  deps.records.save(record, [containerEvent(record, "kill", { signal: `${signal}` })])
  const runtimes = await deps.runtimes()
  const runtime = await runtimeOf(deps, record)
  const monitor = runtimes.findMonitor({ id, bundle: runtimes.bundle(id), pid, monitorPid })
  try {
    await runtime.kill(id, signal)
    if (record.status === "paused" && (record.state.stopRequested || ends !== "for good")) {
      // a frozen process takes a signal only when it runs again
      await runtime.resume(id)
      record.status = "running"
      deps.records.save(record, [containerEvent(record, "unpause")])
    }
  } catch (error) {
    // it may have ended in this very moment
    if (isRunning(record, deps)) throw error
  }
  return monitor
}

/** See `Containers.restart`. */
export async function restart(
  deps: ContainerDeps,
  nameOrId: string,
  options: Abortable & { timeoutSeconds?: number; signal?: string } = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  await stop(deps, id, options)
  const again = await start(deps, id, { abort: options.abort })
  again.release()
  deps.records.tell(containerEvent(deps.records.get(id), "restart"))
}

/** With `owner`, only while that process lives: killed, it leaves no program that stands still for ever. */
export async function pause(
  deps: ContainerDeps,
  nameOrId: string,
  { owner, abort }: Abortable & { owner?: ProcessIdentity } = {},
): Promise<void> {
  await freeze(deps, nameOrId, { from: "running", to: "paused", verb: "pause", owner, abort })
}

/** See `Containers.unpause`. */
export async function unpause(deps: ContainerDeps, nameOrId: string, { abort }: Abortable = {}): Promise<void> {
  await freeze(deps, nameOrId, { from: "paused", to: "running", verb: "resume", abort })
}

interface Freezing extends Abortable {
  from: "running" | "paused"
  to: "running" | "paused"
  verb: "pause" | "resume"
  owner?: ProcessIdentity
}

async function freeze(
  deps: ContainerDeps,
  nameOrId: string,
  { from, to, verb, owner, abort }: Freezing,
): Promise<void> {
  const { id, name } = deps.records.get(nameOrId)
  throwIfAborted(abort, `to ${verb} container "${name}"`)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (record.status !== from || !isRunning(record, deps))
    throw wrongState(
      record,
      `container "${record.name}" is not ${from}`,
      record.status === to ? `it is ${to} already` : { do: "start", container: record.name },
    )
  const runtime = await runtimeOf(deps, record)
  if (owner !== undefined) {
    record.state.frozenBy = owner
    deps.records.save(record)
  }
  await runtime[verb](id)
  await deps.records.whenFree()
  crashPoint(`${verb}:done`)
  record.status = to
  if (verb === "resume") delete record.state.frozenBy
  deps.records.save(record, [containerEvent(record, verb === "pause" ? "pause" : "unpause")])
  // none may be there any more: a paused container needs none
  if (verb === "resume" && isSeenTo(record.spec, deps)) deps.supervise()
}

/** See `Containers.remove`. */
export async function remove(
  deps: ContainerDeps,
  nameOrId: string,
  { force = false, volumes = false, abort }: Abortable & { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (record) {
    const isActive = isRunning(record, deps) || record.status === "restarting"
    if (isActive && !force)
      throw wrongState(
        record,
        `cannot remove container "${record.name}": container is ${record.status}: stop the container before removing or force remove`,
        [
          { do: "stop", container: record.name },
          { do: "removeForced", container: record.name },
        ],
      )
    await heeding(abort, `the removal of container "${record.name}"`, () => destroy(deps, record, { volumes, abort }))
  }
  lock.unlink()
}

/** The exit command's work: reconciles the container, and when its policy says so, has it started after the back-off. */
export async function cleanup(deps: ContainerDeps, id: string): Promise<void> {
  const record = await reconcileNow(deps, id)
  if (record?.status !== "restarting" || record.state.bootId !== deps.bootId) return
  const { restartAt = 0 } = record.state
  crashPoint("restart:recorded")
  if (restartAt - Date.now() > OWN_SLEEP_MS) return deps.supervise()
  if (await sleepUntil(restartAt, () => isWaitingFor(deps, id, restartAt))) await restartDue(deps, id)
}

/** Starts one whose back-off has passed. Of two that do so one does. */
export async function restartDue(deps: ContainerDeps, id: string): Promise<void> {
  const { restartAt } = deps.records.byId(id)?.state ?? {}
  if (restartAt === undefined || !isWaitingFor(deps, id, restartAt)) return
  using lock = await deps.locks.acquire(id)
  const now = await reconcile(deps, id)
  if (!now) return lock.unlink()
  if (!isWaitingFor(deps, id, restartAt)) return
  now.state.restartCount++
  const { monitor } = await launchOrUnlink(deps, now, lock)
  monitor.release()
}

/** False when the container was stopped meanwhile, removed, started by hand, or taken over by another sleeper. */
function isWaitingFor(deps: ContainerDeps, id: string, restartAt: number): boolean {
  const record = deps.records.byId(id)
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

/** Reconciles a container under its lock; the lock file of one that is gone goes too. Undefined when it is gone. */
export async function reconcileNow(
  deps: ContainerDeps,
  id: string,
  abort?: AbortSignal,
): Promise<ContainerRecord | undefined> {
  // without a row there is nothing to lock: an exit command that comes late makes no new lock file
  if (!deps.records.byId(id)) return undefined
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (!record) lock.unlink()
  return record
}

/** The record in line with the kernel; the caller holds the lock. Throws NotFound when the container has just gone. */
export async function reconciled(deps: ContainerDeps, id: string, lock: HeldLock): Promise<ContainerRecord> {
  const record = await reconcile(deps, id)
  if (record) return record
  lock.unlink()
  throw new NotFound(`no such container: "${id.slice(0, 12)}"`, { hint: "it was just removed" })
}

async function launchOrUnlink(
  deps: ContainerDeps,
  record: ContainerRecord,
  lock: HeldLock,
  options: LaunchOptions = {},
): Promise<Launched> {
  const { requires = [] } = record.spec.options
  const startRequired = () => startAll(deps, requires, options.abort)
  try {
    return await launch(deps, record, requires.length === 0 ? options : { ...options, startRequired })
  } catch (error) {
    if (!deps.records.byId(record.id)) lock.unlink()
    throw error
  }
}

/** One after another, those that do not run. No circle: what a container requires was there before it. */
async function startAll(deps: ContainerDeps, ids: readonly string[], abort: AbortSignal | undefined): Promise<void> {
  for (const id of ids) {
    const record = deps.records.byId(id)
    if (record !== undefined && isRunning(record, deps)) continue
    const { release } = await start(deps, id, { abort })
    release()
  }
}

function started(deps: ContainerDeps, { record, monitor, attachment, hasOurStreams }: Launched): StartedContainer {
  let exited: Promise<number> | undefined
  return {
    container: toContainer(record, deps),
    ...(attachment === undefined ? {} : { attachment }),
    ...(hasOurStreams && { hasOurStreams }),
    // asked for late: who detaches must not clean up
    get exited() {
      return (exited ??= exitedAndReconciled(deps, record, monitor))
    },
    release() {
      if (attachment !== undefined) deps.records.tell(containerEvent(record, "detach"))
      monitor.release()
    },
  }
}

/** The clean-up of a foreground. What it cannot do, the monitor's exit command or the next command does. */
async function exitedAndReconciled(
  deps: ContainerDeps,
  { id, name }: ContainerRecord,
  monitor: Monitor,
): Promise<number> {
  let code: number | undefined
  try {
    code = await monitor.exited
    trace("program ended")
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  try {
    const record = await reconcileNow(deps, id)
    code ??= record?.state.exitCode
  } catch (error) {
    log.warn(`clean-up of container "${name}" failed; the next command will retry`, { reason: String(error) })
  }
  if (!deps.records.byId(id)) rmSync(exitFile(deps, id), { force: true })
  return code ?? UNKNOWN_EXIT_CODE
}

/** Whether `promise` reconciles in time. */
async function within(promise: Promise<unknown>, timeoutMs: number, abort?: AbortSignal): Promise<boolean> {
  const timer = new AbortController()
  // setTimeout takes 31 bits
  const limit = Math.min(timeoutMs, 2 ** 31 - 1)
  try {
    const ended = promise.then(
      () => true,
      () => true,
    )
    // ended below, when it is of no use any more
    const slept = sleep(limit, false, { signal: timer.signal }).catch(() => false)
    return await orCancelled(Promise.race([ended, slept]), abort, "waiting for the container's end")
  } finally {
    timer.abort()
  }
}
