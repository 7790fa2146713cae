import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { OciResources } from "../../spec/oci-runtime.ts"
import type { ResourceLimits } from "../runtime.ts"

/** What this host can bound, for the user that asks. */
export interface LimitSupport {
  cgroup: "v1" | "hybrid" | "v2"
  /** Of `memory cpu cpuset pids io` (`blkio` on v1): those we may use. */
  controllers: readonly string[]
  /** Swap is counted. */
  swap: boolean
  cpus: number
  /** Why controllers are missing, and what the user does. */
  remedy: string
}

const CPU_PERIOD_US = 100_000
const MIN_MEMORY_BYTES = 6 * 1024 * 1024

/**
 * Docker's limits in the units of runtime-spec config-linux.md#control-groups. Throws InvalidArgument, and
 * FailedPrecondition where the host cannot hold a limit: it is never dropped in silence.
 */
export function toResources(limits: ResourceLimits, support: LimitSupport): OciResources | undefined {
  const memory = memoryOf(limits, support)
  const cpu = cpuOf(limits, support)
  const { pidsLimit = support.controllers.includes("pids") ? limits.pidsLimitWherePossible : undefined } = limits
  const pids = pidsLimit !== undefined && pidsLimit > 0 ? { limit: pidsLimit } : undefined
  const blockIO = blockIoOf(limits)
  if (memory) needs("memory", "resources.memory", support)
  if (cpu?.quota !== undefined || cpu?.shares !== undefined || cpu?.period !== undefined)
    needs("cpu", "resources.cpus", support)
  if (cpu?.cpus !== undefined || cpu?.mems !== undefined) needs("cpuset", "resources.cpusetCpus", support)
  if (pids) needs("pids", "resources.pidsLimit", support)
  if (blockIO) needs(support.cgroup === "v2" ? "io" : "blkio", "resources.blkioWeight", support)
  const resources: OciResources = {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pids && { pids }),
    ...(blockIO && { blockIO }),
  }
  return Object.keys(resources).length === 0 ? undefined : resources
}

function needs(controller: string, field: string, support: LimitSupport): void {
  if (support.controllers.includes(controller)) return
  throw new FailedPrecondition(`the limit cannot be enforced: this user has no "${controller}" cgroup controller`, {
    field,
    hint: support.remedy,
  })
}

function memoryOf(limits: ResourceLimits, support: LimitSupport): OciResources["memory"] {
  const { memoryBytes: limit, memorySwapBytes: swap, memoryReservationBytes: reservation } = limits
  if (limits.oomKillDisable && support.cgroup === "v2")
    throw new FailedPrecondition("the OOM killer cannot be disabled: cgroup v2 has no such switch", {
      field: "resources.oomKillDisable",
      hint: { do: "omit", field: "resources.oomKillDisable" },
    })
  if (limit !== undefined && limit < MIN_MEMORY_BYTES)
    throw new InvalidArgument(`memory limit of ${limit} bytes is too small`, {
      field: "resources.memory",
      hint: "minimum: 6m",
    })
  if (swap !== undefined && limit === undefined)
    throw new InvalidArgument("a limit of memory and swap together needs a limit of memory", {
      field: "resources.memorySwap",
      hint: { do: "set", field: "resources.memory", value: "BYTES" },
    })
  if (swap !== undefined && swap !== -1 && limit !== undefined && swap < limit)
    throw new InvalidArgument("the limit of memory and swap together is less than that of memory", {
      field: "resources.memorySwap",
      hint: { do: "set", field: "resources.memorySwap", value: `${limit} or more` },
    })
  if (reservation !== undefined && limit !== undefined && reservation > limit)
    throw new InvalidArgument("the memory reservation is more than the memory limit", {
      field: "resources.memoryReservation",
      hint: `maximum: ${limit} bytes`,
    })
  if (swap !== undefined && !support.swap)
    throw new FailedPrecondition("a swap limit cannot be enforced: this kernel does not count swap", {
      field: "resources.memorySwap",
      hint: ["boot with swapaccount=1", { do: "omit", field: "resources.memorySwap" }],
    })
  const memory = {
    ...(limit !== undefined && { limit }),
    // docker: as much swap again as memory
    ...(limit !== undefined && support.swap && { swap: swap ?? limit * 2 }),
    ...(reservation !== undefined && { reservation }),
    ...(limits.oomKillDisable && { disableOOMKiller: true }),
  }
  return Object.keys(memory).length === 0 ? undefined : memory
}

function cpuOf(limits: ResourceLimits, support: LimitSupport): OciResources["cpu"] {
  const { cpus, cpuShares: shares, cpuPeriodUs: period, cpuQuotaUs: quota, cpusetCpus, cpusetMems } = limits
  if (cpus !== undefined && (period !== undefined || quota !== undefined))
    throw new InvalidArgument("a number of CPUs and a CPU period or quota exclude each other", {
      field: "resources.cpus",
      hint: { do: "omit", field: "resources.cpus" },
    })
  if (cpus !== undefined && (!(cpus >= 0.01) || cpus > support.cpus))
    throw new InvalidArgument(`${cpus} CPUs are out of range`, {
      field: "resources.cpus",
      hint: `valid on this host: 0.01 to ${support.cpus}`,
    })
  if (period !== undefined && period !== 0 && (period < 1000 || period > 1_000_000))
    throw new InvalidArgument(`a CPU period of ${period} is out of range`, {
      field: "resources.cpuPeriod",
      hint: "valid: 1000 to 1000000 microseconds",
    })
  if (quota !== undefined && quota > 0 && quota < 1000)
    throw new InvalidArgument(`a CPU quota of ${quota} is too small`, {
      field: "resources.cpuQuota",
      hint: "minimum: 1000 microseconds",
    })
  const cpu = {
    ...(cpus !== undefined && { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    ...(quota && { quota }),
    ...(period && { period }),
    ...(shares && { shares: Math.min(Math.max(shares, 2), 262_144) }),
    ...(cpusetCpus && { cpus: checkCpuset(cpusetCpus, "resources.cpusetCpus", support.cpus) }),
    ...(cpusetMems && { mems: checkCpuset(cpusetMems, "resources.cpusetMems") }),
  }
  return Object.keys(cpu).length === 0 ? undefined : cpu
}

/** `0-2,4`: checked by its ends only, as `0-2147483647` spelled out would fill the memory (CVE-2018-20699). */
function checkCpuset(text: string, field: string, count = 1024): string {
  const ranges = /^\d{1,10}(-\d{1,10})?(,\d{1,10}(-\d{1,10})?)*$/.test(text) ? text.split(",") : undefined
  const bad = ranges?.find((range) => {
    const [first = 0, last = first] = range.split("-").map(Number)
    return last < first || last >= count
  })
  if (ranges === undefined || bad !== undefined)
    throw new InvalidArgument(`invalid list of CPUs or memory nodes "${text}"`, {
      field,
      hint: `expected a list such as 0-1,3; available: 0-${count - 1}`,
    })
  return text
}

function blockIoOf({ blkioWeight: weight }: ResourceLimits): OciResources["blockIO"] {
  if (!weight) return undefined
  if (weight < 10 || weight > 1000)
    throw new InvalidArgument(`a block I/O weight of ${weight} is out of range`, {
      field: "resources.blkioWeight",
      hint: "valid: 10 to 1000",
    })
  return { weight }
}
