import { describe, expect, test } from "bun:test"
import type { LimitSupport } from "./limit-support.ts"
import { toResources } from "./resources.ts"
import type { ResourceLimits } from "../runtime.ts"

const MIB = 1024 * 1024
const HOST: LimitSupport = {
  cgroup: "v2",
  controllers: ["memory", "cpu", "cpuset", "pids", "io"],
  swap: true,
  cpus: 4,
  remedy: "delegate it",
}
const make = (limits: ResourceLimits, host: Partial<LimitSupport> = {}) => toResources(limits, { ...HOST, ...host })

const rate = (device: string): ResourceLimits => ({ deviceReadBps: [{ device, rate: 1 }] })

describe("toResources()", () => {
  test("no limit, no resources", () => {
    expect(make({})).toBeUndefined()
    expect(make({ pidsLimit: -1, cpuShares: 0, blkioWeight: 0 })).toBeUndefined()
  })

  test("a default of processes holds where the host can enforce it, and is no error where not", () => {
    expect(make({ pidsLimitWherePossible: 4096 })?.pids).toEqual({ limit: 4096 })
    expect(make({ pidsLimitWherePossible: 4096, pidsLimit: 10 })?.pids).toEqual({ limit: 10 })
    expect(make({ pidsLimitWherePossible: 4096, pidsLimit: -1 })).toBeUndefined()
    expect(make({ pidsLimitWherePossible: 4096 }, { controllers: [] })).toBeUndefined()
  })

  test("a request is left out where the host cannot hold it, a limit is refused", () => {
    const asked: ResourceLimits = { memoryReservationBytes: 64 * MIB, cpuShares: 512, requestsWherePossible: true }
    expect(make(asked)).toMatchObject({ memory: { reservation: 64 * MIB }, cpu: { shares: 512 } })
    expect(make(asked, { controllers: ["memory"] })).toEqual({ memory: { reservation: 64 * MIB } })
    expect(make(asked, { controllers: [] })).toBeUndefined()
    expect(() => make({ ...asked, memoryBytes: 128 * MIB }, { controllers: [] })).toThrow("cannot be enforced")
    expect(() => make({ cpuShares: 512 }, { controllers: [] })).toThrow("cannot be enforced")
  })

  test("swap is twice the memory, unless told otherwise or not counted by the kernel", () => {
    expect(make({ memoryBytes: 64 * MIB })?.memory).toEqual({ limit: 64 * MIB, swap: 128 * MIB })
    expect(make({ memoryBytes: 64 * MIB, memorySwapBytes: -1 })?.memory?.swap).toBe(-1)
    expect(make({ memoryBytes: 64 * MIB, memorySwapBytes: 64 * MIB })?.memory?.swap).toBe(64 * MIB)
    expect(make({ memoryBytes: 64 * MIB }, { swap: false })?.memory).toEqual({ limit: 64 * MIB })
  })

  test("cores become a quota of a tenth of a second", () => {
    expect(make({ cpus: 0.5 })?.cpu).toEqual({ quota: 50_000, period: 100_000 })
    expect(make({ cpuQuotaUs: 20_000, cpuPeriodUs: 50_000 })?.cpu).toEqual({ quota: 20_000, period: 50_000 })
    expect(make({ cpuShares: 1 })?.cpu).toEqual({ shares: 2 })
    expect(make({ cpusetCpus: "0-2,3" })?.cpu).toEqual({ cpus: "0-2,3" })
  })

  test("what only v1 has reaches the runtime there, and is refused by name on v2", () => {
    const v1 = { cgroup: "v1" as const, controllers: ["memory", "cpu", "blkio", "hugetlb"] }
    expect(make({ memorySwappiness: 10 }, v1)?.memory).toEqual({ swappiness: 10 })
    expect(make({ cpuRtPeriodUs: 100_000, cpuRtRuntimeUs: 1000 }, v1)?.cpu).toEqual({
      realtimePeriod: 100_000,
      realtimeRuntime: 1000,
    })
    const failed = expect.objectContaining({ code: "FailedPrecondition", field: expect.stringContaining("resources.") })
    expect(() => make({ memorySwappiness: 10 })).toThrow(failed)
    expect(() => make({ cpuRtRuntimeUs: 1000 })).toThrow(failed)
    expect(() => make({ cpuRtRuntimeUs: 1000 }, { ...v1, hasFile: () => false })).toThrow(failed)
    expect(() => make({ blkioWeight: 100 }, { ...v1, hasFile: () => false })).toThrow(failed)
  })

  test("files of cgroup v2 are set there alone, each by the name of one file", () => {
    const unified = { "memory.high": "67108864" }
    expect(make({ unified })?.unified).toEqual(unified)
    const failed = expect.objectContaining({ code: "FailedPrecondition" })
    expect(() => make({ unified }, { cgroup: "hybrid" })).toThrow(failed)
    expect(() => make({ unified: { "rdma.max": "x" } })).toThrow(failed)
    for (const name of ["", "memory", "../memory.high", "memory/high", "cgroup.procs", "memory..high", "a.b\nc"])
      expect(() => make({ unified: { [name]: "1" } })).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })

  test("handles of an RDMA device are bounded where its controller is", () => {
    const rdma = [{ device: "mlx5_0", handles: 2, objects: 2000 }]
    expect(make({ rdma }, { controllers: ["rdma"] })?.rdma).toEqual({ mlx5_0: { hcaHandles: 2, hcaObjects: 2000 } })
    expect(() => make({ rdma })).toThrow(expect.objectContaining({ code: "FailedPrecondition", hint: "delegate it" }))
  })

  test("a bound of what is no block device is refused", () => {
    expect(() => make(rate("/dev/null"))).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
    expect(() => make(rate("/dev/no-such-disk"))).toThrow(expect.objectContaining({ code: "NotFound" }))
  })

  test.each<ResourceLimits>([
    { memoryBytes: MIB },
    { memorySwappiness: 101 },
    { memorySwapBytes: 64 * MIB },
    { memoryBytes: 64 * MIB, memorySwapBytes: 32 * MIB },
    { memoryBytes: 64 * MIB, memoryReservationBytes: 65 * MIB },
    { cpus: 5 },
    { cpus: 0 },
    { cpus: Number.NaN },
    { cpus: 1, cpuQuotaUs: 1000 },
    { cpuPeriodUs: 10 },
    { cpuQuotaUs: 10 },
    { cpusetCpus: "0-2147483647" },
    { cpusetCpus: "2-1" },
    { cpusetCpus: "0,\n1" },
    { cpusetMems: "x" },
    { blkioWeight: 5 },
  ])("refuses %j", (limits) => {
    expect(() => make(limits)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })

  test.each<[string, ResourceLimits]>([
    ["memory", { memoryBytes: 64 * MIB }],
    ["cpu", { cpus: 1 }],
    ["cpuset", { cpusetCpus: "0" }],
    ["pids", { pidsLimit: 5 }],
    ["io", { blkioWeight: 100 }],
  ])("a limit of %s is refused, with the remedy, where the controller is not ours", (controller, limits) => {
    const controllers = HOST.controllers.filter((name) => name !== controller)
    expect(() => make(limits, { controllers })).toThrow(
      expect.objectContaining({ code: "FailedPrecondition", hint: "delegate it" }),
    )
  })

  test("what the kernel has not got is refused, not dropped", () => {
    const failed = expect.objectContaining({ code: "FailedPrecondition" })
    expect(() => make({ memoryBytes: 64 * MIB, memorySwapBytes: 64 * MIB }, { swap: false })).toThrow(failed)
    expect(() => make({ memoryBytes: 64 * MIB, oomKillDisable: true })).toThrow(failed)
  })
})
