import { expect, test } from "bun:test"
import { takeTurns, turn } from "./turn.ts"

function busy(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until) continue
}

test("of much that is ready at once a part is done in each turn, in order, and timers run between", async () => {
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  const done: number[] = []
  const step = async (n: number): Promise<void> => {
    using _ = takeTurns()
    await turn()
    busy(4)
    done.push(n)
  }
  await Promise.all(Array.from({ length: 20 }, (_, n) => step(n)))
  clearInterval(timer)
  expect(done).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect(ticks).toBeGreaterThan(5)
})

test("whoever is alone waits for no turn", async () => {
  let turns = 0
  const count = setImmediate(() => turns++)
  using _ = takeTurns()
  for (let n = 0; n < 10; n++) await turn()
  expect(turns).toBe(0)
  clearImmediate(count)
})
