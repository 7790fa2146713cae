/** Ends of containers that somebody wants. The lock is not held while the end is waited for: the monitor cleans up meanwhile. */
import { setTimeout as sleep } from "node:timers/promises"
import { orCancelled } from "../base/cancel.ts"
import type { Monitor } from "../runtime/runtime.ts"
import { isAlive } from "../sys/process/process.ts"
import { callerName } from "../sys/caller-name.ts"
import { parseSignal, signalName } from "../sys/process/signals.ts"
import type { Abortable } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"
import { reconcileNow } from "./reconcile-now.ts"
import { reconcile } from "./reconcile.ts"
import { runtimeOf } from "./time-namespace.ts"
import { wrongState } from "./wrong-state.ts"

const SIGKILL = 9
const SIGTERM = 15
/** SIGKILL takes effect at once, but for a process that hangs in the kernel. */
const KILL_WAIT_MS = 10_000
/** What a hook leaves, at least, for the stop (kubernetes: minimumGracePeriodInSeconds). */
const LEAST_STOP_S = 2

/** Stop signal, then SIGKILL when the time is over. The lock is not held while waiting: the monitor cleans up meanwhile. */
export async function stop(
  deps: ContainerDeps,
  nameOrId: string,
  {
    timeoutSeconds,
    signal,
    abort,
    withoutHook = false,
  }: Abortable & { timeoutSeconds?: number; signal?: string; withoutHook?: boolean } = {},
): Promise<void> {
  const found = deps.records.get(nameOrId)
  const { stopSignal, stopTimeoutSeconds } = found.spec.run
  const number = parseSignal(signal ?? stopSignal)
  const grace = timeoutSeconds ?? stopTimeoutSeconds
  const seconds = withoutHook ? grace : await afterHook(deps, found, grace)
  const monitor = await signalUnderLock(deps, found.id, number, { abort })
  if (!monitor) return
  if (!(await within(monitor.exited, seconds < 0 ? Infinity : seconds * 1000, abort))) {
    const killed = await signalUnderLock(deps, found.id, SIGKILL, { abort })
    if (killed) await within(killed.exited, KILL_WAIT_MS, abort)
  }
  await reconcileNow(deps, found.id, abort)
  deps.records.tell(containerEvent(found, "stop"))
}

/** Ends one that has become unhealthy, so that it starts again after its back-off. Does nothing when it does not run. */
export async function restartUnhealthy(
  deps: ContainerDeps,
  id: string,
  { withoutHook = false }: { withoutHook?: boolean } = {},
): Promise<void> {
  const found = deps.records.get(id)
  const { stopSignal, stopTimeoutSeconds: grace } = found.spec.run
  const stopTimeoutSeconds = withoutHook ? grace : await afterHook(deps, found, grace)
  const ends = "to start again" as const
  const monitor = await signalUnderLock(deps, id, parseSignal(stopSignal), { ends })
  if (!monitor) return
  if (!(await within(monitor.exited, stopTimeoutSeconds < 0 ? Infinity : stopTimeoutSeconds * 1000))) {
    const killed = await signalUnderLock(deps, id, SIGKILL, { ends })
    if (killed) await within(killed.exited, KILL_WAIT_MS)
  }
  await reconcileNow(deps, id)
}

/** What is left of the grace, in seconds, when the hook before a stop has been run; most containers have none. */
async function afterHook(deps: ContainerDeps, record: ContainerRecord, graceSeconds: number): Promise<number> {
  if (record.spec.options.lifecycle?.preStop === undefined || graceSeconds === 0 || !isRunning(record, deps))
    return graceSeconds
  const { beforeStop } = await import("./run-hooks.ts")
  const begun = Date.now()
  await beforeStop(deps, record, graceSeconds < 0 ? Infinity : graceSeconds * 1000)
  return graceSeconds < 0 ? graceSeconds : Math.max(LEAST_STOP_S, graceSeconds - (Date.now() - begun) / 1000)
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
  const { pid, pidStartTime, monitorPid } = record.state
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
    // it may have ended in this very moment, and its monitor be reading the last of its output
    if (pidStartTime !== undefined && isAlive(pid, pidStartTime)) throw error
  }
  return monitor
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
