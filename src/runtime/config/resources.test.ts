import { describe, expect, test } from "bun:test"
import { toResources, type LimitSupport } from "./resources.ts"
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

  test.each<ResourceLimits>([
    { memoryBytes: MIB },
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
