import { describe, expect, test } from "bun:test"
import { blockIoWrites } from "./block-io-files.ts"
import { liveResources, liveWrites } from "./live-resources.ts"

const ALL = { cpus: "0-3", mems: "0" }
const DISK = { major: 254, minor: 0 }
const lines = (version: "v1" | "v2", before: object, after: object = {}) =>
  liveWrites(version, { before, after }, ALL).flatMap(({ controller, writes }) =>
    writes.map(([first = ["", ""]]) => `${controller} ${first[0]} ${first[1]}`),
  )

describe("limits of a running container", () => {
  test("that it still has are the runtime's to write, but for block I/O", () => {
    const after = { memory: { limit: 1 }, cpu: { shares: 2 }, pids: { limit: 3 }, blockIO: { weight: 10 } }
    expect(liveResources(after)).toEqual({ memory: { limit: 1 }, cpu: { shares: 2 }, pids: { limit: 3 } })
    expect(lines("v2", { memory: { limit: 5 }, pids: { limit: 9 } }, after)).toEqual(["blkio io.bfq.weight 10"])
  })

  test("that are gone are written out as none, by the names of each version", () => {
    const before = {
      memory: { limit: 1, swap: 2, reservation: 1, swappiness: 9 },
      cpu: { quota: 1, shares: 2, cpus: "0", mems: "0", realtimeRuntime: 5 },
      pids: { limit: 3 },
    }
    expect(lines("v1", before)).toEqual([
      "memory memory.swappiness 60",
      "memory memory.memsw.limit_in_bytes -1",
      "memory memory.limit_in_bytes -1",
      "memory memory.soft_limit_in_bytes -1",
      "cpu cpu.cfs_quota_us -1",
      "cpu cpu.shares 1024",
      "cpu cpu.rt_runtime_us 0",
      "cpuset cpuset.cpus 0-3",
      "cpuset cpuset.mems 0",
      "pids pids.max max",
    ])
    delete (before.memory as { swappiness?: number }).swappiness
    delete (before.cpu as { realtimeRuntime?: number }).realtimeRuntime
    expect(lines("v2", before)).toEqual([
      "memory memory.swap.max max",
      "memory memory.max max",
      "memory memory.low 0",
      "cpu cpu.max max 100000",
      "cpu cpu.weight 100",
      "cpuset cpuset.cpus 0-3",
      "cpuset cpuset.mems 0",
      "pids pids.max max",
    ])
  })
})

describe("block I/O", () => {
  const after = {
    weight: 500,
    weightDevice: [{ ...DISK, weight: 1000 }],
    throttleReadBpsDevice: [{ ...DISK, rate: 1024 }],
    throttleWriteIOPSDevice: [{ ...DISK, rate: 7 }],
  }

  test("is written as v1 and v2 have it, for either scheduler", () => {
    expect(blockIoWrites("v1", {}, after)).toEqual([
      [
        ["blkio.bfq.weight", "500"],
        ["blkio.weight", "500"],
      ],
      [
        ["blkio.bfq.weight_device", "254:0 1000"],
        ["blkio.weight_device", "254:0 1000"],
      ],
      [["blkio.throttle.read_bps_device", "254:0 1024"]],
      [["blkio.throttle.write_iops_device", "254:0 7"]],
    ])
    expect(blockIoWrites("v2", {}, after)).toEqual([
      [
        ["io.bfq.weight", "500"],
        ["io.weight", "default 4950"],
      ],
      [
        ["io.bfq.weight", "254:0 1000"],
        ["io.weight", "254:0 10000"],
      ],
      [["io.max", "254:0 rbps=1024"]],
      [["io.max", "254:0 wiops=7"]],
    ])
  })

  test("is taken back from a device that has no bound any more", () => {
    expect(blockIoWrites("v1", after).map(([first]) => first?.join(" "))).toEqual([
      "blkio.bfq.weight 100",
      "blkio.bfq.weight_device 254:0 0",
      "blkio.throttle.read_bps_device 254:0 0",
      "blkio.throttle.write_iops_device 254:0 0",
    ])
    expect(blockIoWrites("v2", after).map((write) => write.at(-1)?.join(" "))).toEqual([
      "io.weight default 910",
      "io.weight 254:0 default",
      "io.max 254:0 rbps=max",
      "io.max 254:0 wiops=max",
    ])
  })
})
