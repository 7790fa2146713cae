import { setImmediate as nextTurn } from "node:timers/promises"
import { Cancelled } from "../../base/errors.ts"

/** Longer without a pause would hold up the steps beside this one. */
const TURN_MS = 15

/** Runs synchronous work that yields often, letting all else go on in between. Gives what it returns. Throws Cancelled. */
export async function inTurns<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  let turnEnds = performance.now() + TURN_MS
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    if (performance.now() < turnEnds) continue
    await nextTurn()
    if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
    turnEnds = performance.now() + TURN_MS
  }
}
