/** Restarts after a pause: of the exit command, which sleeps as long as it is short, and of the supervisor. */
import { setTimeout as sleep } from "node:timers/promises"
import { crashPoint } from "../base/crash-point.ts"
import type { ContainerDeps } from "./deps.ts"
import { OWN_SLEEP_MS } from "./health/duty.ts"
import { reconcileNow } from "./reconcile-now.ts"
import { reconcile } from "./reconcile.ts"
import type { ContainerRecord } from "./record.ts"

/** How long a back-off outlives the `stop` or `rm` that made it void. */
const SLEEP_CHECK_MS = 500

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
  const started = await startWaiting(deps, id, restartAt)
  if (started?.spec.options.lifecycle?.postStart !== undefined)
    await (await import("./after-start.ts")).afterStart(deps, started)
}

async function startWaiting(deps: ContainerDeps, id: string, restartAt: number): Promise<ContainerRecord | undefined> {
  using lock = await deps.locks.acquire(id)
  const now = await reconcile(deps, id)
  if (!now) return void lock.unlink()
  if (!isWaitingFor(deps, id, restartAt)) return undefined
  now.state.restartCount++
  // most ends are for good, and the exit command of each passes by here
  const { launchOrUnlink } = await import("./life-cycle.ts")
  const { monitor } = await launchOrUnlink(deps, now, lock)
  monitor.release()
  return now
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
