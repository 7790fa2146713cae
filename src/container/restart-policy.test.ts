import { expect, test } from "bun:test"
import { restartDelayMs } from "./restart-policy.ts"

const ended = { exitCode: 1, startedAt: 0, finishedAt: 5, restartCount: 0 }

test("the back-off doubles from 100 ms to a minute", () => {
  const delays: number[] = []
  let restartDelay: number | undefined
  for (let count = 0; count < 12; count++) {
    restartDelay = restartDelayMs({ name: "always", maximumRetryCount: 0 }, { ...ended, restartDelayMs: restartDelay })
    delays.push(restartDelay ?? -1)
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000])
})

test("ten seconds of running begin the back-off anew", () => {
  const state = { ...ended, finishedAt: 10_000, restartDelayMs: 60_000 }
  expect(restartDelayMs({ name: "unless-stopped", maximumRetryCount: 0 }, state)).toBe(100)
})

test("on-failure acts on a code other than 0, as often as it may", () => {
  const policy = { name: "on-failure", maximumRetryCount: 2 } as const
  expect(restartDelayMs(policy, { ...ended, restartCount: 1 })).toBe(100)
  expect(restartDelayMs(policy, { ...ended, restartCount: 2 })).toBeUndefined()
  expect(restartDelayMs(policy, { ...ended, exitCode: 0 })).toBeUndefined()
})

test("no policy acts after stop", () => {
  const policy = { name: "always", maximumRetryCount: 0 } as const
  expect(restartDelayMs(policy, { ...ended, stopRequested: true })).toBeUndefined()
  expect(restartDelayMs({ ...policy, name: "no" } as never, ended)).toBeUndefined()
})
