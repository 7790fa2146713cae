import type { OciBlockIo, OciResources, OciThrottle } from "../../spec/oci-runtime.ts"

/** What is written to one file of a cgroup. */
export interface CgroupWrite {
  /** On v1 its hierarchy; on v2 what must be enabled for it. */
  controller: string
  file: string
  value: string
}

/**
 * Limits as the files of a cgroup that the engine makes itself, in the order in which they can be written. Runtimes do the same for
 * their containers' (config-linux.md#control-groups). Pure.
 */
export function cgroupWrites(resources: OciResources, isV2: boolean): CgroupWrite[] {
  const { memory = {}, cpu = {}, pids, blockIO = {}, hugepageLimits = [], unified = {} } = resources
  const shared = [
    ...write("cpuset", "cpus", cpu.cpus),
    ...write("cpuset", "mems", cpu.mems),
    ...write("pids", "max", pids?.limit),
  ]
  if (!isV2)
    return [
      ...shared,
      ...write("memory", "limit_in_bytes", memory.limit),
      ...write("memory", "memsw.limit_in_bytes", memory.swap),
      ...write("memory", "soft_limit_in_bytes", memory.reservation),
      ...write("memory", "swappiness", memory.swappiness),
      ...write("memory", "oom_control", memory.disableOOMKiller ? 1 : undefined),
      ...write("cpu", "shares", cpu.shares),
      ...write("cpu", "cfs_period_us", cpu.period),
      ...write("cpu", "cfs_quota_us", cpu.quota),
      ...write("cpu", "rt_period_us", cpu.realtimePeriod),
      ...write("cpu", "rt_runtime_us", cpu.realtimeRuntime),
      ...blockIoV1(blockIO),
      ...hugepageLimits.flatMap(({ pageSize, limit }) => write("hugetlb", `${pageSize}.limit_in_bytes`, limit)),
    ]
  const { limit, swap } = memory
  return [
    ...shared,
    ...write("memory", "max", limit),
    // on v1 and in the specification memory and swap are counted together, on v2 each alone
    ...write(
      "memory",
      "swap.max",
      swap === undefined || limit === undefined ? undefined : swap < 0 ? "max" : swap - limit,
    ),
    ...write("memory", "low", memory.reservation),
    ...write("cpu", "weight", cpu.shares === undefined ? undefined : weightOf(cpu.shares)),
    ...write("cpu", "max", cpuMax(cpu)),
    ...blockIoV2(blockIO),
    ...hugepageLimits.flatMap(({ pageSize, limit: bytes }) => write("hugetlb", `${pageSize}.max`, bytes)),
    ...Object.entries(unified).map(([file, value]) => ({ controller: file.split(".", 1)[0] ?? "", file, value })),
  ]
}

/** 2 to 262144 shares are 1 to 10000 of weight, as runtimes convert them. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142)
}

function cpuMax({ quota, period = 100_000 }: NonNullable<OciResources["cpu"]>): string | undefined {
  return quota === undefined ? undefined : `${quota < 0 ? "max" : quota} ${period}`
}

function write(controller: string, file: string, value: number | string | undefined): CgroupWrite[] {
  return value === undefined ? [] : [{ controller, file: `${controller}.${file}`, value: `${value}` }]
}

/** One line for each device. */
function devices<T extends { major: number; minor: number }>(
  [controller, file]: readonly [controller: string, file: string],
  all: readonly T[] | undefined,
  valueOf: (one: T) => string,
): CgroupWrite[] {
  return (all ?? []).flatMap((one) => write(controller, file, `${one.major}:${one.minor} ${valueOf(one)}`))
}

function blockIoV1(io: OciBlockIo): CgroupWrite[] {
  return [
    ...write("blkio", "weight", io.weight),
    ...devices(["blkio", "weight_device"], io.weightDevice, ({ weight }) => `${weight}`),
    ...devices(["blkio", "throttle.read_bps_device"], io.throttleReadBpsDevice, rateOf),
    ...devices(["blkio", "throttle.write_bps_device"], io.throttleWriteBpsDevice, rateOf),
    ...devices(["blkio", "throttle.read_iops_device"], io.throttleReadIOPSDevice, rateOf),
    ...devices(["blkio", "throttle.write_iops_device"], io.throttleWriteIOPSDevice, rateOf),
  ]
}

function rateOf({ rate }: OciThrottle): string {
  return `${rate}`
}

function blockIoV2(io: OciBlockIo): CgroupWrite[] {
  return [
    ...write("io", "weight", io.weight === undefined ? undefined : `default ${io.weight}`),
    ...devices(["io", "weight"], io.weightDevice, ({ weight }) => `${weight}`),
    ...devices(["io", "max"], io.throttleReadBpsDevice, ({ rate }) => `rbps=${rate}`),
    ...devices(["io", "max"], io.throttleWriteBpsDevice, ({ rate }) => `wbps=${rate}`),
    ...devices(["io", "max"], io.throttleReadIOPSDevice, ({ rate }) => `riops=${rate}`),
    ...devices(["io", "max"], io.throttleWriteIOPSDevice, ({ rate }) => `wiops=${rate}`),
  ]
}
