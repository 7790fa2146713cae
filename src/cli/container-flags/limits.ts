/** Flags that bound what a container may use. */
import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import type { ContainerOptions, LimitOptions, Resources } from "../../container/container.ts"
import {
  parseDeviceBytes,
  parseDeviceOperations,
  parseDeviceWeight,
  parseHugepages,
  parseRdma,
} from "../../spec/docker/device-limit.ts"
import { parseDeviceCgroupRule } from "../../spec/docker/device-rule.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { parseUlimit, type Ulimit } from "../../spec/docker/ulimit.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Limits that `update` changes, too. */
export const RESOURCE_FLAGS = {
  blkioWeight: flag.of(
    readWeight,
    "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
    "uint16",
  ),
  blkioWeightDevice: flag.list(parseDeviceWeight, "Block IO weight (relative device weight)"),
  cpuPeriod: flag.int("Limit CPU CFS (Completely Fair Scheduler) period"),
  cpuQuota: flag.int("Limit CPU CFS (Completely Fair Scheduler) quota"),
  cpuRtPeriod: flag.int("Limit CPU real-time period in microseconds"),
  cpuRtRuntime: flag.int("Limit CPU real-time runtime in microseconds"),
  cpuShares: flag.int("CPU shares (relative weight)", { short: "c" }),
  cpus: flag.of(readCpus, "Number of CPUs", "decimal"),
  cpusetCpus: flag.of(readCpuset, "CPUs in which to allow execution (0-3, 0,1)", "string"),
  cpusetMems: flag.of(readCpuset, "MEMs in which to allow execution (0-3, 0,1)", "string"),
  deviceReadBps: flag.list(parseDeviceBytes, "Limit read rate (bytes per second) from a device"),
  deviceReadIops: flag.list(parseDeviceOperations, "Limit read rate (IO per second) from a device"),
  deviceWriteBps: flag.list(parseDeviceBytes, "Limit write rate (bytes per second) to a device"),
  deviceWriteIops: flag.list(parseDeviceOperations, "Limit write rate (IO per second) to a device"),
  memory: flag.size("Memory limit", { short: "m" }),
  memoryReservation: flag.size("Memory soft limit"),
  memorySwap: flag.of(readSwap, "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", "bytes"),
  memorySwappiness: flag.of(readSwappiness, "Tune container memory swappiness (0 to 100) (default -1)", "int"),
  pidsLimit: flag.int("Tune container pids limit (set -1 for unlimited)"),
}

const REFUSED = {
  cpuCount: "cpu-count is for containers of Windows: use --cpus",
  cpuPercent: "cpu-percent is for containers of Windows: use --cpus",
  ioMaxbandwidth: "io-maxbandwidth is for containers of Windows: use --device-read-bps and --device-write-bps",
  ioMaxiops: "io-maxiops is for containers of Windows: use --device-read-iops and --device-write-iops",
  kernelMemory: "kernel memory has no limit of its own since Linux 5.16: -m counts it, too",
}

/** All of them. */
export const LIMIT_FLAGS = {
  ...RESOURCE_FLAGS,
  cgroupConf: flag.list(readCgroupConf, "Configure cgroup v2 (file=value, such as memory.high=64M)"),
  cgroupParent: flag.string("Optional parent cgroup for the container"),
  cgroups: flag.choice(
    ["enabled", "disabled", "no-conmon", "split"],
    'Cgroups of the container ("enabled", "disabled", "no-conmon", "split")',
  ),
  cpuCount: refused("CPU count (Windows only)", REFUSED.cpuCount),
  cpuPercent: refused("CPU percent (Windows only)", REFUSED.cpuPercent),
  deviceCgroupRule: flag.list(parseDeviceCgroupRule, "Add a rule to the cgroup allowed devices list"),
  hugetlb: flag.list(parseHugepages, "Limit huge pages of a size (2MB:64m)"),
  ioMaxbandwidth: refused("Maximum IO bandwidth limit for the system drive (Windows only)", REFUSED.ioMaxbandwidth),
  ioMaxiops: refused("Maximum IOps limit for the system drive (Windows only)", REFUSED.ioMaxiops),
  kernelMemory: refused("Kernel memory limit (no longer in Linux)", REFUSED.kernelMemory),
  oomKillDisable: flag.bool("Disable OOM Killer"),
  oomScoreAdj: flag.int("Tune host's OOM preferences (-1000 to 1000)"),
  rdma: flag.list(parseRdma, "Limit an RDMA device (mlx5_0:handles=2,objects=2000)"),
  rdtClass: flag.string("Class of Intel RDT (resctrl) that the container joins"),
  storageOpt: flag.list(parseKeyValue, "Storage driver options for the container"),
  ulimit: flag.list(readUlimit, "Ulimit options", "ulimit"),
}

/** Limits, of the flags that a command has. */
export function resourcesOf(flags: Partial<FlagValues<typeof LIMIT_FLAGS>>): Resources {
  const conf = list(flags.cgroupConf)
  return defined({
    memoryBytes: flags.memory || undefined,
    memorySwapBytes: flags.memorySwap || undefined,
    memoryReservationBytes: flags.memoryReservation || undefined,
    memorySwappiness: flags.memorySwappiness === -1 ? undefined : flags.memorySwappiness,
    cpus: flags.cpus || undefined,
    cpuShares: flags.cpuShares,
    cpuPeriodUs: flags.cpuPeriod,
    cpuQuotaUs: flags.cpuQuota,
    cpuRtPeriodUs: flags.cpuRtPeriod,
    cpuRtRuntimeUs: flags.cpuRtRuntime,
    cpusetCpus: flags.cpusetCpus,
    cpusetMems: flags.cpusetMems,
    pidsLimit: flags.pidsLimit,
    oomKillDisable: flags.oomKillDisable || undefined,
    blkioWeight: flags.blkioWeight,
    blkioWeightDevices: list(flags.blkioWeightDevice),
    deviceReadBps: list(flags.deviceReadBps),
    deviceWriteBps: list(flags.deviceWriteBps),
    deviceReadIops: list(flags.deviceReadIops),
    deviceWriteIops: list(flags.deviceWriteIops),
    hugepages: list(flags.hugetlb),
    rdma: list(flags.rdma),
    unified: conf === undefined ? undefined : Object.fromEntries(conf),
  })
}

/** `host` is none of its own: then the container has those of its caller. */
export function ulimitsOf(values: readonly (Ulimit | "host")[]): readonly Ulimit[] {
  return values.filter((limit): limit is Ulimit => limit !== "host")
}

/** Throws UsageError where the same time is said as a number of CPUs and as a part of a period. */
export function refuseTwoTimes({
  cpus,
  cpuPeriod,
  cpuQuota,
}: {
  cpus?: number
  cpuPeriod?: number
  cpuQuota?: number
}): void {
  if (!cpus) return
  const other = cpuPeriod !== undefined ? "--cpu-period" : cpuQuota !== undefined ? "--cpu-quota" : undefined
  if (other !== undefined) throw new UsageError(`conflicting options: ${other} and --cpus cannot both be set`)
}

/** What `run` and `create` ask for. Throws UsageError. */
export function limitOptions(
  flags: FlagValues<typeof LIMIT_FLAGS>,
): Pick<ContainerOptions, "resources" | "ulimits" | "limits"> {
  refuseTwoTimes(flags)
  const isParted = flags.cgroups === "disabled" || flags.cgroups === "split"
  if (isParted && flags.cgroupParent !== undefined)
    throw new UsageError(`conflicting options: --cgroups ${flags.cgroups} and --cgroup-parent cannot both be set`)
  const limits: LimitOptions = defined({
    oomScoreAdj: flags.oomScoreAdj,
    // no-conmon: the monitor stays in its maker's cgroup, as it always does here
    cgroups: isParted ? (flags.cgroups as "disabled" | "split") : undefined,
    cgroupParent: flags.cgroupParent || undefined,
    deviceCgroupRules: flags.deviceCgroupRule.length === 0 ? undefined : flags.deviceCgroupRule,
    rdtClass: flags.rdtClass,
    storage: flags.storageOpt.length === 0 ? undefined : Object.fromEntries(flags.storageOpt),
  })
  return {
    resources: resourcesOf(flags),
    ulimits: ulimitsOf(flags.ulimit),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

function list<T>(items: readonly T[] = []): readonly T[] | undefined {
  return items.length === 0 ? undefined : items
}

function refused(help: string, reason: string) {
  const read = (): undefined => {
    throw new UsageError(reason)
  }
  return flag.of<undefined>(read, help, "value")
}

function readUlimit(text: string): Ulimit | "host" {
  return text === "host" ? text : parseUlimit(text)
}

function readCpus(text: string): number {
  const cpus = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || !Number.isFinite(cpus))
    throw new InvalidArgument("expected a number of CPUs, such as 0.5")
  return cpus
}

function readCpuset(text: string): string {
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) throw new InvalidArgument("expected a list such as 0-3 or 0,1")
  return text
}

function readSwap(text: string): number {
  return text === "-1" ? -1 : parseSize(text)
}

function readSwappiness(text: string): number {
  if (!/^(-1|\d{1,3})$/.test(text) || Number(text) > 100)
    throw new InvalidArgument("valid memory swappiness: -1, or 0 to 100")
  return Number(text)
}

function readWeight(text: string): number {
  const weight = Number(text)
  if (!/^\d+$/.test(text) || (weight !== 0 && (weight < 10 || weight > 1000)))
    throw new InvalidArgument("range of blkio weight is from 10 to 1000")
  return weight
}

function readCgroupConf(text: string): [string, string] {
  if (!/^[\w.]+=/.test(text)) throw new InvalidArgument("expected FILE=VALUE, such as memory.high=64M")
  return parseKeyValue(text)
}
