import { setImmediate } from "node:timers"

const waiting: (() => void)[] = []
let isTaken = false
let works = 0

/** Says that a work of several steps is under way, until it is disposed: who is the only one waits for no turn. */
export function takeTurns(): Disposable {
  works++
  return { [Symbol.dispose]: () => void works-- }
}

/**
 * Asked before a step of some milliseconds, by work of which much may be ready at once: many containers that start in one
 * process. One such step is done in a turn of the event loop; the others wait for the turns after it, each in its place, and
 * timers and connections have their part between.
 */
export async function turn(): Promise<void> {
  if (works < 2 && waiting.length === 0) return
  if (isTaken) return new Promise<void>((resolve) => waiting.push(resolve))
  isTaken = true
  setImmediate(nextTurn)
}

function nextTurn(): void {
  const resume = waiting.shift()
  isTaken = resume !== undefined
  if (resume === undefined) return
  resume()
  setImmediate(nextTurn)
}
