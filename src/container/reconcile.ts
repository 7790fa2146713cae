import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { trace } from "../base/trace.ts"
import { isAlive } from "../sys/process/process.ts"
import { runtimeOf } from "./time-namespace.ts"
import type { ContainerDeps } from "./deps.ts"
import { detached } from "./attachments.ts"
import { connectionEvents, containerEvent, dieEvents } from "./events.ts"
import { limitsInput } from "./limits.ts"
import { isHeld, isRunning, observeExit } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"
import { destroy } from "./remove.ts"
import { restartDelayMs } from "./restart-policy.ts"
import { leaveSandbox } from "./sandbox.ts"
import { isForgottenFrozen } from "./suspects.ts"
import { teardown } from "./teardown.ts"

/**
 * Brings a container's record in line with the kernel, and finishes what was begun: an end is written down and cleaned up,
 * an interrupted start undone (or, when the program did start, taken over), a removal completed. Says what it is then;
 * undefined when it is gone. The caller holds the container's lock. Safe to repeat.
 */
export async function reconcile(deps: ContainerDeps, id: string): Promise<ContainerRecord | undefined> {
  const record = deps.records.byId(id)
  if (!record) return undefined
  if (record.status === "removing") return destroy(deps, record)
  if (!record.live) return record.state.leaving === undefined ? record : takenBack(deps, record)
  if (isRunning(record, deps)) {
    if (record.state.leaving !== undefined) await takenBack(deps, record)
    if (record.state.updating !== undefined) await (await import("./bring-in-line.ts")).finishUpdate(deps, record)
    return isForgottenFrozen(record) ? thaw(deps, record) : record
  }
  if (isHeld(record, deps)) return record
  if (record.status === "starting" || record.status === "initialized") return reconcileStart(deps, record)
  if (record.status === "running" || record.status === "paused") return reconcileEnd(deps, record)
  return finish(deps, record)
}

/** What a killed connect or disconnect has left. */
async function takenBack(deps: ContainerDeps, record: ContainerRecord): Promise<ContainerRecord> {
  const { takeOff } = await import("./take-off.ts")
  await takeOff(deps, record)
  deps.records.save(record)
  return record
}

async function thaw(deps: ContainerDeps, record: ContainerRecord): Promise<ContainerRecord> {
  const runtime = await runtimeOf(deps, record)
  if ((await runtime.state(record.id)).status === "paused") await runtime.resume(record.id)
  record.status = "running"
  delete record.state.frozenBy
  deps.records.save(record, [containerEvent(record, "unpause")])
  return record
}

/** Writes the end down first, so that no crash in the clean-up loses the exit code. */
async function reconcileEnd(deps: ContainerDeps, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  const { state, spec } = record
  const end = observeExit(record, deps)
  Object.assign(state, { exitCode: end.exitCode, finishedAt: end.finishedAt, error: end.error })
  crashPoint("end:exit-read")
  if (spec.options.autoRemove) {
    record.status = "removing"
  } else {
    const runtimes = await deps.runtimes()
    // the counter goes with the cgroup
    const { cgroupPlacement } = limitsInput(spec.options.limits)
    const usage =
      state.bootId === deps.bootId ? runtimes.usage(record.id, runtimes.bundle(record.id), cgroupPlacement) : undefined
    state.oomKilled = usage?.oomKilled ?? false
    state.ending = await (await import("./ended/why-ended.ts")).whyEnded(deps, record, end, usage)
    // a restart of the machine ends all: those are for its boot unit, or for `start`
    const delayMs = state.bootId === deps.bootId ? restartDelayMs(spec.options.restart, state) : undefined
    record.status = delayMs === undefined ? "exited" : "restarting"
    state.restartDelayMs = delayMs
    state.restartAt = delayMs === undefined ? undefined : Date.now() + delayMs
  }
  await deps.records.whenFree()
  deps.records.save(record, dieEvents(record))
  crashPoint("end:recorded")
  return finish(deps, record)
}

async function reconcileStart(deps: ContainerDeps, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  const { state } = record
  const sameBoot = state.bootId === deps.bootId
  if (sameBoot && state.pid !== undefined && state.pidStartTime !== undefined) {
    const status = await runtimeStatus(deps, record)
    // one that only waited for its start has run nothing
    const ran = status === "running" || (status === "stopped" && record.status === "starting")
    if (ran) {
      record.status = "running"
      // an earlier run's is over
      if (state.startedAt === undefined || state.startedAt <= (state.finishedAt ?? 0)) state.startedAt = Date.now()
      deps.records.save(record, [containerEvent(record, "start")])
      return isAlive(state.pid, state.pidStartTime) ? record : reconcileEnd(deps, record)
    }
  }
  if (record.spec.options.autoRemove) return destroy(deps, record)
  await teardown(deps, record)
  record.status = state.finishedAt === undefined ? "created" : "exited"
  if (sameBoot && state.restartDelayMs !== undefined) {
    // its policy had asked for this start, and still does
    record.status = "restarting"
    state.restartAt = Date.now() + state.restartDelayMs
  }
  record.live = false
  const left = connectionEvents(record, "left")
  state.attachments = detached(state.attachments)
  deps.records.save(record, left)
  return record
}

async function runtimeStatus(deps: ContainerDeps, record: ContainerRecord): Promise<string | undefined> {
  const runtime = await runtimeOf(deps, record)
  try {
    return (await runtime.state(record.id)).status
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

/** Everything of the ended run goes, and with `--rm` the container too. */
async function finish(deps: ContainerDeps, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  if (record.spec.options.autoRemove) return destroy(deps, record)
  await teardown(deps, record)
  trace("torn down")
  record.live = false
  const left = connectionEvents(record, "left")
  record.state.attachments = detached(record.state.attachments)
  await deps.records.whenFree()
  deps.records.save(record, left)
  crashPoint("end:reconciled")
  if (record.status !== "restarting") await leaveSandbox(deps, record)
  return record
}
