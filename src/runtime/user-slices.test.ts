import { expect, test } from "bun:test"
import { cgroupWrites } from "./config/cgroup-files.ts"
import { sliceName, sliceProperties } from "./user-slices.ts"

test("limits are properties of a slice", () => {
  const limits = {
    memory: { limit: 64 << 20, swap: -1 },
    cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: "0-1" },
    pids: { limit: 10 },
    blockIO: { weight: 100 },
  }
  expect(sliceProperties(cgroupWrites(limits, true))).toEqual([
    "AllowedCPUs=0-1",
    "TasksMax=10",
    "MemoryMax=67108864",
    "MemorySwapMax=infinity",
    "CPUWeight=39",
    "CPUQuota=50%",
    "IOWeight=100",
  ])
  const throttled = { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }] } }
  expect(() => sliceProperties(cgroupWrites(throttled, true))).toThrow("io.max")
})

test("a slice lies in the one that its name begins with", () => {
  expect(sliceName("ab")).toBe("skiffpod_ab.slice")
  expect(sliceName("ab", "my.slice")).toBe("my-skiffpod_ab.slice")
})
