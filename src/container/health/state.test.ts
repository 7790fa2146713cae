import { expect, test } from "bun:test"
import { healthPlan, mergeHealthcheck, type HealthPlan } from "./plan.ts"
import { afterCheck, initialHealth, intervalMs, isStartupHopeless, type HealthState } from "./state.ts"

const SECOND = 1_000_000_000

const plan = (changes: Partial<HealthPlan> = {}): HealthPlan => ({
  program: { text: "true" },
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 5_000,
  manual: false,
  log: { maxCount: 5, maxBytes: 4096, events: false },
  ...changes,
})

/** Results one second apart, from the start of the run on. */
const after = (codes: readonly number[], of: HealthPlan): HealthState =>
  codes.reduce(
    (state, exitCode, index) => afterCheck(state, { start: index * 1000, end: index * 1000, exitCode, output: "" }, of),
    initialHealth(0, of),
  )

test("so many failures in a row make it unhealthy, one success healthy", () => {
  expect(after([1, 1], plan())).toMatchObject({ status: "starting", failingStreak: 2 })
  expect(after([1, 1, 1], plan())).toMatchObject({ status: "unhealthy", failingStreak: 3 })
  expect(after([1, 1, 0, 1, 1], plan())).toMatchObject({ status: "healthy", failingStreak: 2 })
  expect(after([1, 1, 1, 0], plan())).toMatchObject({ status: "healthy", failingStreak: 0 })
})

test("within the start period failures count only after the first success", () => {
  const slow = plan({ startPeriodMs: 10_000, retries: 1 })
  expect(after([1, 1, 1], slow)).toMatchObject({ status: "starting", failingStreak: 0 })
  expect(after([0, 1], slow)).toMatchObject({ status: "unhealthy", failingStreak: 1 })
  expect(intervalMs(initialHealth(0, slow), slow, 9_000)).toBe(5_000)
  expect(intervalMs(initialHealth(0, slow), slow, 11_000)).toBe(30_000)
})

test("the last results are kept, or all", () => {
  expect(after([0, 1, 2, 3, 4, 5, 6], plan()).log.map(({ exitCode }) => exitCode)).toEqual([2, 3, 4, 5, 6])
  const log = { maxCount: 0, maxBytes: 4096, events: false }
  expect(after([0, 1, 2, 3, 4, 5, 6], plan({ log })).log.length).toBe(7)
  expect(after([0, 1], plan({ log: { ...log, maxCount: 1 } })).log.length).toBe(1)
})

test("the startup check comes first, and counts its successes and failures in a row", () => {
  const startup = { program: { text: "up" }, intervalMs: 100, timeoutMs: 100, retries: 2, successes: 2 }
  const both = plan({ startup, retries: 1 })
  expect(after([0], both)).toMatchObject({ status: "starting", isStartedUp: false })
  expect(after([0, 1, 0], both)).toMatchObject({ isStartedUp: false })
  expect(after([0, 0], both)).toMatchObject({ status: "starting", isStartedUp: true })
  expect(after([0, 0, 1], both)).toMatchObject({ status: "unhealthy" })
  expect(isStartupHopeless(after([1], both), both)).toBe(false)
  expect(isStartupHopeless(after([1, 1], both), both)).toBe(true)
})

test("what the image says, and what the options say over it", () => {
  const image = { Test: ["CMD", "a"], Interval: SECOND, Retries: 9 }
  expect(mergeHealthcheck(image)).toBe(image)
  expect(mergeHealthcheck(image, { retries: 2 })).toEqual({ ...image, Retries: 2 })
  expect(mergeHealthcheck(image, { disabled: true })).toEqual({ Test: ["NONE"] })
  expect(mergeHealthcheck(undefined, { test: ["CMD-SHELL", "b"], timeoutMs: 1500 })).toEqual({
    Test: ["CMD-SHELL", "b"],
    Timeout: 1.5 * SECOND,
  })
})

const planOf = (healthcheck: object, shell?: readonly string[]) =>
  healthPlan({ run: { healthcheck, shell }, options: {} } as unknown as Parameters<typeof healthPlan>[0])

test("docker's forms of a test", () => {
  expect(planOf({ Test: ["NONE"] })).toBeUndefined()
  expect(planOf({ Test: [] })).toBeUndefined()
  expect(planOf({})).toBeUndefined()
  expect(planOf({ Test: ["CMD"] })).toBeUndefined()
  expect(planOf({ Test: ["CMD", "a", "b"] })?.program).toEqual({ words: ["a", "b"] })
  expect(planOf({ Test: ["CMD-SHELL", "a b"] })?.program).toEqual({ text: "a b" })
  expect(planOf({ Test: ["CMD-SHELL", "a b"] }, ["/bin/bash", "-c"])?.program).toEqual({
    words: ["/bin/bash", "-c", "a b"],
  })
})

test("an image's times are bounded, whatever they are", () => {
  for (const Interval of [1, -5, 0.1, Number.MAX_SAFE_INTEGER, Infinity]) {
    const { intervalMs: ms = 0 } = planOf({ Test: ["CMD", "a"], Interval, Retries: -1 }) ?? {}
    expect(ms).toBeGreaterThanOrEqual(20)
    expect(ms).toBeLessThan(2 ** 31)
  }
})
