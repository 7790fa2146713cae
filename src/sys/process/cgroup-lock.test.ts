import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { wakeCgroupLock } from "./cgroup-lock.ts"

test("to wake the lock moves nobody, and fails nowhere", async () => {
  const before = readFileSync("/proc/self/cgroup", "utf8")
  wakeCgroupLock()
  wakeCgroupLock()
  await sleep(50)
  expect(readFileSync("/proc/self/cgroup", "utf8")).toBe(before)
})
