import { Cancelled } from "../../base/errors.ts"

/**
 * The signal, which throws after `afterMs` also for who asks it in work that lets no timer of this process run: files are read and compared
 * without a pause.
 */
export function withDeadline(signal: AbortSignal, afterMs: number): AbortSignal {
  const end = performance.now() + afterMs
  return Object.defineProperty(signal, "throwIfAborted", {
    value() {
      if (performance.now() > end) throw new Cancelled(`the scan was given up after ${afterMs / 1000} s`)
      AbortSignal.prototype.throwIfAborted.call(signal)
    },
  })
}
