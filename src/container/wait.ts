import { setTimeout as sleep } from "node:timers/promises"
import { trace } from "../base/trace.ts"
import type { ContainerDeps } from "./deps.ts"
import { reconcileNow } from "./life-cycle.ts"
import { isRunning } from "./observe.ts"
import { needsReconciling } from "./repair.ts"
import type { ContainerRecord } from "./record.ts"

const POLL_MS = 50

/** Waits for the container's end (or its removal) and gives its exit code. A back-off is no end, as docker sees it. */
export async function wait(
  deps: ContainerDeps,
  nameOrId: string,
  condition: "not-running" | "next-exit" | "removed" = "not-running",
): Promise<number> {
  const { id, state } = deps.records.get(nameOrId)
  if (condition === "next-exit") await until(deps, id, (record) => isRunning(record, deps))
  let code = state.exitCode ?? 0
  for (;;) {
    const record = deps.records.byId(id)
    if (!record) return code
    if (isRunning(record, deps)) {
      code = (await exitOf(deps, record)) ?? code
      if (condition === "next-exit") return code
    } else if (needsReconciling(record, deps)) {
      code = (await reconcileNow(deps, id))?.state.exitCode ?? code
    } else {
      code = record.state.exitCode ?? code
      if (condition !== "removed" && !isOnItsWay(record)) return code
    }
    await sleep(POLL_MS)
  }
}

/** A back-off or a start under way. */
function isOnItsWay({ status }: ContainerRecord): boolean {
  return status === "restarting" || status === "starting"
}

/** Waits for the monitor's word; undefined when it was killed. */
async function exitOf(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<number | undefined> {
  if (spec.options.autoRemove) await announce(deps, id)
  const { pid, monitorPid } = deps.records.byId(id)?.state ?? {}
  if (pid === undefined || monitorPid === undefined) return undefined
  const runtimes = await deps.runtimes()
  const monitor = runtimes.findMonitor({ id, bundle: runtimes.bundle(id), pid, monitorPid })
  const code = await monitor.exited.catch(() => undefined)
  const reconciled = await reconcileNow(deps, id)
  return code ?? reconciled?.state.exitCode
}

/** So that the exit code outlives the container. */
async function announce(deps: ContainerDeps, id: string): Promise<void> {
  using _ = await deps.locks.acquire(id)
  const record = deps.records.byId(id)
  if (!record || !isRunning(record, deps)) return
  record.state.awaited = true
  deps.records.save(record)
  trace("end is awaited")
}

async function until(deps: ContainerDeps, id: string, test: (record: ContainerRecord) => boolean): Promise<void> {
  for (let record = deps.records.byId(id); record && !test(record); record = deps.records.byId(id)) await sleep(POLL_MS)
}
