import { setImmediate } from "node:timers/promises"

/** Half of what a long-lived process may keep its event loop waiting for. */
const SLICE_MS = 5

/** When the time in this turn of the event loop ends, for all work of this process together. */
let endsAt = 0
/** The turn that work waits for which has used this one up. */
let nextTurn: Promise<void> | undefined

async function beginTurn(): Promise<void> {
  await setImmediate()
  nextTurn = undefined
  endsAt = performance.now() + SLICE_MS
}

/** The time that long pieces of synchronous work take before they let other events have their turn. */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined

  constructor(signal?: AbortSignal) {
    this.#signal = signal
    if (nextTurn === undefined) endsAt = performance.now() + SLICE_MS
  }

  get isOver(): boolean {
    return performance.now() >= endsAt
  }

  /** Lets others have their turn. Throws the signal's reason. */
  async giveWay(): Promise<void> {
    await (nextTurn ??= beginTurn())
    this.#signal?.throwIfAborted()
  }
}

/**
 * Does work that yields wherever it may pause. It gives way to other events every few milliseconds; short work never does.
 * Throws what the work throws, and the signal's reason: the work is then left where it paused, its `finally` blocks run.
 */
export async function inSlices<T>(work: Generator<unknown, T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted()
  const slice = new TimeSlice(signal)
  try {
    for (;;) {
      const { done, value } = work.next()
      if (done) return value as T
      if (slice.isOver) await slice.giveWay()
    }
  } finally {
    work.return(undefined as T)
  }
}

/** The same at once, for who cannot wait. */
export function atOnce<T>(work: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value as T
  }
}
