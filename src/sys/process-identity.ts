import { readFileSync } from "node:fs"

/** One process for ever: a pid alone is used again, and so is a pid with its start time after a reboot. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot, from /proc/<pid>/stat. */
  startTime: number
  bootId: string
}

let own: ProcessIdentity | undefined

/** Who we are, to be written beside what we own. */
export function thisProcess(): ProcessIdentity {
  return (own ??= { pid: process.pid, startTime: startTimeOf(process.pid) ?? 0, bootId: bootId() })
}

/** Whether that very process is still there. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && startTimeOf(identity.pid) === identity.startTime
}

/** Differs after each reboot. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
}

/** proc_pid_stat(5), field 22; undefined when there is no such process, or only its zombie. */
function startTimeOf(pid: number): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  } catch {
    return undefined
  }
  // the command name may hold spaces and brackets: fields count from after the last one
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19])
}
