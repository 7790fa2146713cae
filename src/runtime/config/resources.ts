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
  const pids = limits.pidsLimit !== undefined && limits.pidsLimit > 0 ? { limit: limits.pidsLimit } : undefined
  const blockIO = blockIoOf(limits)
  if (memory) needs("memory", "--memory", support)
  if (cpu?.quota !== undefined || cpu?.shares !== undefined || cpu?.period !== undefined)
    needs("cpu", "--cpus", support)
  if (cpu?.cpus !== undefined || cpu?.mems !== undefined) needs("cpuset", "--cpuset-cpus", support)
  if (pids) needs("pids", "--pids-limit", support)
  if (blockIO) needs(support.cgroup === "v2" ? "io" : "blkio", "--blkio-weight", support)
  const resources: OciResources = {
    ...(memory && { memory }),
    ...(cpu && { cpu }),
    ...(pids && { pids }),
    ...(blockIO && { blockIO }),
  }
  return Object.keys(resources).length === 0 ? undefined : resources
}

function needs(controller: string, flag: string, support: LimitSupport): void {
  if (support.controllers.includes(controller)) return
  throw new FailedPrecondition(`${flag} cannot be held: no "${controller}" cgroup controller for this user`, {
    hint: support.remedy,
  })
}

function memoryOf(limits: ResourceLimits, support: LimitSupport): OciResources["memory"] {
  const { memoryBytes: limit, memorySwapBytes: swap, memoryReservationBytes: reservation } = limits
  if (limits.oomKillDisable && support.cgroup === "v2")
    throw new FailedPrecondition("--oom-kill-disable needs cgroup v1", {
      hint: "leave it out: cgroup v2 has no such switch",
    })
  if (limit !== undefined && limit < MIN_MEMORY_BYTES)
    throw new InvalidArgument(`memory limit of ${limit} bytes is too small`, { hint: "the least is 6m" })
  if (swap !== undefined && limit === undefined)
    throw new InvalidArgument("--memory-swap without --memory", { hint: "it is memory and swap together: give both" })
  if (swap !== undefined && swap !== -1 && limit !== undefined && swap < limit)
    throw new InvalidArgument("--memory-swap is less than --memory", { hint: "it is memory and swap together" })
  if (reservation !== undefined && limit !== undefined && reservation > limit)
    throw new InvalidArgument("--memory-reservation is more than --memory")
  if (swap !== undefined && !support.swap)
    throw new FailedPrecondition("--memory-swap cannot be held: this kernel does not count swap", {
      hint: "boot with swapaccount=1, or leave it out",
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
    throw new InvalidArgument("--cpus cannot be given with --cpu-period or --cpu-quota")
  if (cpus !== undefined && (!(cpus >= 0.01) || cpus > support.cpus))
    throw new InvalidArgument(`--cpus ${cpus} is out of range`, {
      hint: `this host has 0.01 to ${support.cpus} to give`,
    })
  if (period !== undefined && period !== 0 && (period < 1000 || period > 1_000_000))
    throw new InvalidArgument(`--cpu-period ${period} is out of range`, { hint: "from 1000 to 1000000 microseconds" })
  if (quota !== undefined && quota > 0 && quota < 1000)
    throw new InvalidArgument(`--cpu-quota ${quota} is too small`, { hint: "the least is 1000 microseconds" })
  const cpu = {
    ...(cpus !== undefined && { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    ...(quota && { quota }),
    ...(period && { period }),
    ...(shares && { shares: Math.min(Math.max(shares, 2), 262_144) }),
    ...(cpusetCpus && { cpus: checkCpuset(cpusetCpus, "--cpuset-cpus", support.cpus) }),
    ...(cpusetMems && { mems: checkCpuset(cpusetMems, "--cpuset-mems") }),
  }
  return Object.keys(cpu).length === 0 ? undefined : cpu
}

/** `0-2,4`: checked by its ends only, as `0-2147483647` spelled out would fill the memory (CVE-2018-20699). */
function checkCpuset(text: string, flag: string, count = 1024): string {
  const ranges = /^\d{1,10}(-\d{1,10})?(,\d{1,10}(-\d{1,10})?)*$/.test(text) ? text.split(",") : undefined
  const bad = ranges?.find((range) => {
    const [first = 0, last = first] = range.split("-").map(Number)
    return last < first || last >= count
  })
  if (ranges === undefined || bad !== undefined)
    throw new InvalidArgument(`invalid ${flag} "${text}"`, { hint: `such as 0-1,3; available are 0-${count - 1}` })
  return text
}

function blockIoOf({ blkioWeight: weight }: ResourceLimits): OciResources["blockIO"] {
  if (!weight) return undefined
  if (weight < 10 || weight > 1000)
    throw new InvalidArgument(`--blkio-weight ${weight} is out of range`, { hint: "from 10 to 1000" })
  return { weight }
}
