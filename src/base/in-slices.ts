import { setImmediate } from "node:timers/promises"

/** Half of what the event loop may stand still. */
const SLICE_MS = 5

/**
 * Runs a long synchronous work, which yields after each of its steps, in slices: between them the rest of a long-lived process
 * goes on. Whatever the work relies on must hold over a pause.
 */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (let until = performance.now() + SLICE_MS; ;) {
    const { done, value } = work.next()
    if (done) return value
    if (performance.now() < until) continue
    await setImmediate()
    until = performance.now() + SLICE_MS
  }
}

/** The same work without a pause. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}
