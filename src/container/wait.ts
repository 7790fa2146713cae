import { setTimeout as sleep } from "node:timers/promises"
import { trace } from "../base/trace.ts"
import type { ContainerHost } from "./deps.ts"
import { settleNow } from "./life-cycle.ts"
import { isRunning } from "./observe.ts"
import { needsSettling } from "./repair.ts"
import type { ContainerRecord } from "./record.ts"

const POLL_MS = 50

/** Waits for the container's end (or its removal) and gives its exit code. A back-off is no end, as docker sees it. */
export async function wait(
  host: ContainerHost,
  nameOrId: string,
  condition: "not-running" | "next-exit" | "removed" = "not-running",
): Promise<number> {
  const { id, state } = host.records.get(nameOrId)
  if (condition === "next-exit") await until(host, id, (record) => isRunning(record, host))
  let code = state.exitCode ?? 0
  for (;;) {
    const record = host.records.byId(id)
    if (!record) return code
    if (isRunning(record, host)) {
      code = (await exitOf(host, record)) ?? code
      if (condition === "next-exit") return code
    } else if (needsSettling(record, host)) {
      code = (await settleNow(host, id))?.state.exitCode ?? code
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
async function exitOf(host: ContainerHost, { id, spec }: ContainerRecord): Promise<number | undefined> {
  if (spec.options.autoRemove) await announce(host, id)
  const { pid, monitorPid } = host.records.byId(id)?.state ?? {}
  if (pid === undefined || monitorPid === undefined) return undefined
  const runtimes = await host.runtimes()
  const monitor = runtimes.findMonitor({ id, bundle: runtimes.bundle(id), pid, monitorPid })
  const code = await monitor.exited.catch(() => undefined)
  const settled = await settleNow(host, id)
  return code ?? settled?.state.exitCode
}

/** So that the exit code outlives the container. */
async function announce(host: ContainerHost, id: string): Promise<void> {
  using _ = await host.locks.acquire(id)
  const record = host.records.byId(id)
  if (!record || !isRunning(record, host)) return
  record.state.awaited = true
  host.records.save(record)
  trace("end is awaited")
}

async function until(host: ContainerHost, id: string, test: (record: ContainerRecord) => boolean): Promise<void> {
  for (let record = host.records.byId(id); record && !test(record); record = host.records.byId(id)) await sleep(POLL_MS)
}
