import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { OciResources } from "../../spec/oci-runtime.ts"
import type { ResourceLimits } from "../runtime.ts"
import { needs, type LimitSupport } from "./limit-support.ts"

const CPU_PERIOD_US = 100_000
const DEFAULT_RT_PERIOD_US = 1_000_000

/** Time and processors. Throws InvalidArgument, FailedPrecondition. */
export function cpuOf(limits: ResourceLimits, support: LimitSupport): OciResources["cpu"] {
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
  const cpu: NonNullable<OciResources["cpu"]> = {
    ...(cpus !== undefined && { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    ...(quota && { quota }),
    ...(period && { period }),
    ...(shares && { shares: Math.min(Math.max(shares, 2), 262_144) }),
    ...(cpusetCpus && { cpus: checkCpuset(cpusetCpus, "resources.cpusetCpus", support.cpus) }),
    ...(cpusetMems && { mems: checkCpuset(cpusetMems, "resources.cpusetMems") }),
  }
  const realtime = realtimeOf(limits, support)
  if (Object.keys({ ...cpu, ...realtime }).length === 0) return undefined
  if (cpu.quota !== undefined || cpu.shares !== undefined || cpu.period !== undefined)
    needs("cpu", "resources.cpus", support)
  if (cpu.cpus !== undefined || cpu.mems !== undefined) needs("cpuset", "resources.cpusetCpus", support)
  return { ...cpu, ...realtime }
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

/** sched-rt-group.rst: only v1 has it, and only kernels that were built with it. */
function realtimeOf(limits: ResourceLimits, support: LimitSupport): OciResources["cpu"] {
  const { cpuRtPeriodUs: period, cpuRtRuntimeUs: runtime } = limits
  const field = runtime === undefined ? "resources.cpuRtPeriod" : "resources.cpuRtRuntime"
  if (!period && !runtime) return undefined
  const isThere = support.cgroup !== "v2" && (support.hasFile?.("cpu", "cpu.rt_runtime_us") ?? true)
  if (support.controllers.includes("cpu") && !isThere)
    throw new FailedPrecondition(
      support.cgroup === "v2"
        ? "real-time scheduling cannot be bounded: cgroup v2 has no such limit"
        : "real-time scheduling cannot be bounded: this kernel was built without CONFIG_RT_GROUP_SCHED",
      { field, hint: { do: "omit", field } },
    )
  needs("cpu", field, support)
  if (runtime !== undefined && runtime > (period || DEFAULT_RT_PERIOD_US))
    throw new InvalidArgument(`a real-time runtime of ${runtime} is more than its period`, {
      field: "resources.cpuRtRuntime",
      hint: `maximum: ${period || DEFAULT_RT_PERIOD_US} microseconds`,
    })
  return { ...(period && { realtimePeriod: period }), ...(runtime && { realtimeRuntime: runtime }) }
}
