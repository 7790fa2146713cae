import { setTimeout as sleep } from "node:timers/promises"
import type { ContainerHost } from "./host.ts"
import { settleNow } from "./life-cycle.ts"
import { isRunning } from "./observe.ts"
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
    code = record.state.exitCode ?? code
    if (isRunning(record, host)) code = (await exitOf(host, record)) ?? code
    else if (condition === "next-exit") return code
    else if (condition === "not-running" && !isOnItsWay(record)) return code
    else await sleep(POLL_MS)
    if (condition === "next-exit") return code
  }
}

function isOnItsWay({ status, live }: ContainerRecord): boolean {
  return status === "restarting" || status === "starting" || (status === "exited" && live)
}

async function exitOf(host: ContainerHost, record: ContainerRecord): Promise<number | undefined> {
  const { pid, monitorPid } = record.state
  if (pid === undefined || monitorPid === undefined) return undefined
  const runtimes = await host.runtimes()
  const monitor = runtimes.findMonitor({ id: record.id, bundle: runtimes.bundle(record.id), pid, monitorPid })
  const code = await monitor.exited.catch(() => undefined)
  const settled = await settleNow(host, record.id)
  return code ?? settled?.state.exitCode
}

async function until(host: ContainerHost, id: string, test: (record: ContainerRecord) => boolean): Promise<void> {
  for (let record = host.records.byId(id); record && !test(record); record = host.records.byId(id)) await sleep(POLL_MS)
}
