import { readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import { processGroupOf, processStartTime, signalGroup, signalProcess, type Pid } from "../../sys/process/process.ts"
import type { BundlePaths } from "../runtime.ts"

const SIGKILL = 9
/** A launcher may fork between the look and its end; its child forks no monitor. */
const ROUNDS = 2

/** See `Runtimes.endMonitor`. */
export function endMonitor(id: string, bundle: BundlePaths): void {
  const written = writtenPid(bundle)
  if (written !== undefined) return kill(written, id)
  for (let round = 0; round < ROUNDS; round++) for (const pid of processes()) kill(pid, id)
}

/** With it goes the exit command that it is about to become, never the one that calls us. */
function kill(pid: Pid, id: string): void {
  const startTime = processStartTime(pid)
  // the number may be another process's by now
  if (startTime === undefined || !isMonitorOf(pid, id)) return
  const leadsOthers = processGroupOf(pid) === pid && processGroupOf(process.pid) !== pid
  if (leadsOthers) signalGroup(pid, startTime, SIGKILL)
  else signalProcess(pid, startTime, SIGKILL)
}

function isMonitorOf(pid: Pid, id: string): boolean {
  const [program = "", ...words] = read(`/proc/${pid}/cmdline`)?.split("\0") ?? []
  return basename(program) === "conmon" && words.includes(id)
}

function writtenPid(bundle: BundlePaths): Pid | undefined {
  const text = read(bundle.monitorPidFile)
  return text === undefined || text === "" ? undefined : (Number(text) as Pid)
}

function processes(): Pid[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name) as Pid] : []))
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ESRCH")) throw error
    return undefined
  }
}
