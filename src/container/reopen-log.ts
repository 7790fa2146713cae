import { setTimeout as sleep } from "node:timers/promises"
import { statSync } from "node:fs"
import { FailedPrecondition, hasErrno, Unavailable } from "../base/errors.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"
import { notRunning } from "./wrong-state.ts"

/** conmon does it when it next looks at its control pipe: within a millisecond, unless it is stopped. */
const WAIT_MS = 5000

/** See `Containers.reopenLog`. */
export async function reopenLog(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const { logPath } = record.spec
  if (logPath === undefined) throw new FailedPrecondition(`the log of container "${record.name}" is no file`)
  if (!isRunning(record, deps)) throw notRunning(record)
  const runtimes = await deps.runtimes()
  // a file of this name that is there still is replaced by another one
  const before = inodeOf(logPath)
  try {
    runtimes.reopenLog(runtimes.bundle(record.id))
  } catch (error) {
    if (hasErrno(error, "ENXIO", "ENOENT", "EPIPE")) throw notRunning(record)
    throw error
  }
  for (const end = Date.now() + WAIT_MS; [undefined, before].includes(inodeOf(logPath)); await sleep(1))
    if (Date.now() > end)
      throw new Unavailable(`the monitor of container "${record.name}" did not open its log "${logPath}" anew`)
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
