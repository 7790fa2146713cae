import { expect, test } from "bun:test"
import { cgroupWrites } from "./cgroup-files.ts"

const LIMITS = {
  memory: { limit: 64 << 20, swap: 128 << 20, reservation: 1 << 20 },
  cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: "0" },
  pids: { limit: 10 },
  blockIO: { weight: 100, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }] },
}

const lines = (isV2: boolean) => cgroupWrites(LIMITS, isV2).map(({ file, value }) => `${file} = ${value}`)

test("limits are the files of v1, each in its controller's hierarchy", () => {
  expect(lines(false)).toEqual([
    "cpuset.cpus = 0",
    "pids.max = 10",
    "memory.limit_in_bytes = 67108864",
    "memory.memsw.limit_in_bytes = 134217728",
    "memory.soft_limit_in_bytes = 1048576",
    "cpu.shares = 1024",
    "cpu.cfs_period_us = 100000",
    "cpu.cfs_quota_us = 50000",
    "blkio.weight = 100",
    "blkio.throttle.read_bps_device = 8:0 1000",
  ])
})

test("and those of v2, where swap is counted by itself", () => {
  expect(lines(true)).toEqual([
    "cpuset.cpus = 0",
    "pids.max = 10",
    "memory.max = 67108864",
    "memory.swap.max = 67108864",
    "memory.low = 1048576",
    "cpu.weight = 39",
    "cpu.max = 50000 100000",
    "io.weight = default 100",
    "io.max = 8:0 rbps=1000",
  ])
  expect(cgroupWrites({ memory: { limit: 1, swap: -1 }, unified: { "memory.high": "5" } }, true)).toEqual([
    { controller: "memory", file: "memory.max", value: "1" },
    { controller: "memory", file: "memory.swap.max", value: "max" },
    { controller: "memory", file: "memory.high", value: "5" },
  ])
})
