import { expect, test } from "bun:test"
import { atOnce, inSlices } from "./in-slices.ts"

/** Steps that take about as long as they say. */
function* work(steps: number, stepMs: number): Generator<void, string> {
  for (let step = 0; step < steps; step++) {
    const until = performance.now() + stepMs
    while (performance.now() < until) continue
    yield
  }
  return "done"
}

test("others run between the slices of a long work, and none is needed for a short one", async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  expect(await inSlices(work(50, 2))).toBe("done")
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
  expect(atOnce(work(3, 0))).toBe("done")
})

test("what fails in a slice rejects, after its own clean-up", async () => {
  let isCleaned = false
  const failing = function* (): Generator<void, void> {
    try {
      yield* work(10, 1)
      throw new Error("broken")
    } finally {
      isCleaned = true
    }
  }
  await expect(inSlices(failing())).rejects.toThrow("broken")
  expect(isCleaned).toBe(true)
})
