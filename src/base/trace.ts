import { writeSync } from "node:fs"

const enabled = process.env.SKIFF_TRACE !== undefined && process.env.SKIFF_TRACE !== ""
let last = 0

/**
 * With `SKIFF_TRACE=1`, writes when `step` was done to standard error: milliseconds since the process began, and since
 * the step before. Shows where the time of a `run` goes.
 */
export function trace(step: string): void {
  if (!enabled) return
  const now = performance.now()
  writeSync(2, `trace ${now.toFixed(1).padStart(8)} ms  +${(now - last).toFixed(1).padStart(6)}  ${step}\n`)
  last = now
}
