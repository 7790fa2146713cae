import { describe, expect, test } from "bun:test"
import { hash } from "node:crypto"
import { setImmediate } from "node:timers/promises"
import { atOnce, inSlices } from "./time-slice.ts"

const bytes = Buffer.alloc(64 * 1024)
let stepsDone = 0

/** Pieces of work of one size, whatever else the machine does. */
function* busy(steps: number, onEnd?: () => void): Generator<void, string> {
  try {
    for (let done = 0; done < steps; done++) {
      hash("sha256", bytes)
      stepsDone++
      yield
    }
    return "done"
  } finally {
    onEnd?.()
  }
}

/** The most steps that are done between two turns of others while `work` goes on. */
async function longestWait(work: Promise<unknown>): Promise<number> {
  let [before, longest] = [stepsDone, 0]
  const end = work.then(() => "over")
  while ((await Promise.race([end, setImmediate()])) !== "over") {
    longest = Math.max(longest, stepsDone - before)
    before = stepsDone
  }
  return longest
}

describe("work in slices", () => {
  test("gives what the work gives, as the same at once does", async () => {
    expect(await inSlices(busy(10))).toBe("done")
    expect(atOnce(busy(10))).toBe("done")
  })

  test("lets others have their turns all along", async () => {
    expect(await longestWait(inSlices(busy(4_000)))).toBeLessThan(1_000)
  })

  test("many at once share one slice of each turn", async () => {
    // each with a slice of its own would be done in the first turn
    const many = Array.from({ length: 50 }, () => inSlices(busy(80)))
    expect(await longestWait(Promise.all(many))).toBeLessThan(1_500)
  })

  test("that is short ends in the turn it began in", async () => {
    let turns = 0
    const counting = setImmediate().then(() => turns++)
    await inSlices(busy(1))
    expect(turns).toBe(0)
    await counting
  })

  test("stops when it is cancelled, and cleans up", async () => {
    const stop = new AbortController()
    let ended = false
    const work = inSlices(
      busy(1_000_000, () => (ended = true)),
      stop.signal,
    )
    await setImmediate()
    stop.abort(new Error("enough"))
    // not by expect().rejects, which lets nobody have a turn while it waits
    expect(String(await work.catch((error: unknown) => error))).toContain("enough")
    expect(ended).toBe(true)
    await expect(inSlices(busy(1), stop.signal)).rejects.toThrow("enough")
  })
})
