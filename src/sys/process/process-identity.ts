import { bootId, processStartTime } from "./process.ts"

/** One process for ever: a pid alone is used again, and so is a pid with its start time after a reboot. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks after boot. */
  startTime: number
  bootId: string
}

let own: ProcessIdentity | undefined

/** Who we are, to be written beside what we own. */
export function thisProcess(): ProcessIdentity {
  return (own ??= { pid: process.pid, startTime: processStartTime(process.pid) ?? 0, bootId: bootId() })
}

/** Whether that very process is still there. */
export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId() && processStartTime(identity.pid) === identity.startTime
}
