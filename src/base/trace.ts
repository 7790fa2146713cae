import { writeSync } from "node:fs"

const enabled = process.env.SKIFF_TRACE !== undefined && process.env.SKIFF_TRACE !== ""
let last = 0
let lastCpu = 0
let lastFaults = 0

/**
 * With `SKIFF_TRACE=1`, writes when `step` was done to standard error: milliseconds since the process began, and since
 * the step before, then what this process spent in it: processor time of all threads, and page faults. The last two say on a busy
 * machine, too, where the time of a `run` goes.
 */
export function trace(step: string): void {
  if (!enabled) return
  const now = performance.now()
  const { userCPUTime, systemCPUTime, minorPageFault } = process.resourceUsage()
  const cpu = (userCPUTime + systemCPUTime) / 1_000
  const since = `+${(now - last).toFixed(1).padStart(6)}`
  const spent = `cpu ${(cpu - lastCpu).toFixed(1).padStart(5)} ms, ${String(minorPageFault - lastFaults).padStart(4)} faults`
  writeSync(2, `trace ${now.toFixed(1).padStart(8)} ms  ${since}  ${spent}  ${step}\n`)
  last = now
  lastCpu = cpu
  lastFaults = minorPageFault
}
