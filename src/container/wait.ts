import { orCancelled, throwIfAborted } from "../base/cancel.ts"
import { trace } from "../base/trace.ts"
import type { Event } from "../event/event.ts"
import type { WaitCondition } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { reconcileNow } from "./reconcile-now.ts"
import { isRunning, observeExit } from "./observe.ts"
import { needsReconciling } from "./suspects.ts"
import type { ContainerRecord } from "./record.ts"

/** What is said of a wait that is given up. */
export const AWAITED = "waiting for the container"

/**
 * Waits for the container's end (or its removal) and gives its exit code. A back-off is no end, as docker sees it.
 *
 * The end is known from the monitor's exit file, a millisecond after it is written and before anybody cleans up. What only
 * the records tell (a start, a removal, a restart) is known from the events.
 */
export async function wait(
  deps: ContainerDeps,
  nameOrId: string,
  { condition = "not-running", signal }: { condition?: WaitCondition; signal?: AbortSignal } = {},
): Promise<number> {
  const { id, state } = deps.records.get(nameOrId)
  await using scope = new AsyncDisposableStack()
  let events: ReturnType<ContainerDeps["events"]["watch"]> | undefined
  let code = state.exitCode ?? 0
  let mustStart = condition === "next-exit"
  for (;;) {
    const record = deps.records.byId(id)
    if (!record) return lastExit(deps, id) ?? code
    if (isRunning(record, deps)) {
      mustStart = false
      // the monitor's word is gone where another process has cleaned up already: it wrote the end down before
      code = (await exitOf(deps, record, signal)) ?? lastExit(deps, id) ?? code
      if (condition === "next-exit") return code
      if (condition === "not-running" && endsForGood(deps, record)) return code
    } else if (needsReconciling(record, deps)) {
      // its clean-up is another's work, or the next command's
      if (condition === "not-running" && hasEnded(record) && endsForGood(deps, record))
        return observeExit(record, deps).exitCode
      code = (await reconcileNow(deps, id, signal))?.state.exitCode ?? code
      continue
    } else {
      code = record.state.exitCode ?? code
      if (condition !== "removed" && !mustStart && !isOnItsWay(record)) return code
    }
    if (events === undefined) {
      // watched first, then read once more: nothing falls between
      events = scope.use(deps.events.watch({ filter: { containers: [id] }, signal }))
      continue
    }
    const { value: event } = (await events.next()) as { value?: Event }
    throwIfAborted(signal, AWAITED)
    // one that ran for a moment was never seen running
    if (event?.action === "start") mustStart = false
    if (event?.action === "die") code = Number(event.actor.attributes.exitCode)
    if (event?.action === "die" && condition === "next-exit") return code
  }
}

/** What the records say of the last end; of a container that is gone, what its events do. */
export function lastExit({ records, events }: ContainerDeps, id: string): number | undefined {
  const record = records.byId(id)
  if (record) return record.state.exitCode
  const died = events.list({ filter: { containers: [id], actions: ["die"] } }).at(-1)
  return died && Number(died.actor.attributes.exitCode)
}

function hasEnded({ status }: ContainerRecord): boolean {
  return status === "running" || status === "paused"
}

/** A back-off or a start under way. */
function isOnItsWay({ status }: ContainerRecord): boolean {
  return status === "restarting" || status === "starting"
}

/** Whether no restart policy makes of its end a back-off; what is not known yet is for the records to say. */
function endsForGood({ records }: ContainerDeps, { id, spec }: ContainerRecord): boolean {
  return spec.options.restart.name === "no" || (records.byId(id)?.state.stopRequested ?? false)
}

/** Waits for the monitor's word; undefined when it was killed. */
export async function exitOf(
  deps: ContainerDeps,
  { id, spec }: ContainerRecord,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (spec.options.autoRemove) await announce(deps, id, signal)
  const { pid, monitorPid } = deps.records.byId(id)?.state ?? {}
  if (pid === undefined || monitorPid === undefined) return undefined
  const runtimes = await deps.runtimes()
  const monitor = runtimes.findMonitor({ id, bundle: runtimes.bundle(id), pid, monitorPid })
  try {
    return await orCancelled(
      monitor.exited.catch(() => undefined),
      signal,
      AWAITED,
    )
  } finally {
    monitor.release()
  }
}

/** So that the exit code outlives the container. */
async function announce(deps: ContainerDeps, id: string, signal: AbortSignal | undefined): Promise<void> {
  using _ = await deps.locks.acquire(id, { signal })
  const record = deps.records.byId(id)
  if (!record || !isRunning(record, deps)) return
  record.state.awaited = true
  deps.records.save(record)
  trace("end is awaited")
}
