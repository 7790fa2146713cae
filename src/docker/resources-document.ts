import type { Container } from "../container/container.ts"
import { formatDeviceCgroupRule } from "../spec/docker/device-rule.ts"
import { formatEgressRule } from "../spec/docker/egress-rule.ts"
import { formatRefusal } from "../spec/docker/refusal.ts"
import type { DeviceRate } from "../spec/docker/resource-limits.ts"

/** The limits of docker's `HostConfig` (Engine API, Resources), by its names. Pure. */
export function resourcesDocument({
  options: { resources, limits = {}, networkLimits = {}, egress, ulimits },
}: Pick<Container, "options">): Record<string, unknown> {
  return {
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
    CgroupParent: limits.cgroupParent ?? "",
    // podman's
    Cgroups: limits.cgroups ?? "default",
    CgroupConf: resources.unified ?? null,
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: (resources.blkioWeightDevices ?? []).map(({ device, weight }) => ({
      Path: device,
      Weight: weight,
    })),
    BlkioDeviceReadBps: ratesDocument(resources.deviceReadBps),
    BlkioDeviceWriteBps: ratesDocument(resources.deviceWriteBps),
    BlkioDeviceReadIOps: ratesDocument(resources.deviceReadIops),
    BlkioDeviceWriteIOps: ratesDocument(resources.deviceWriteIops),
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpuRealtimePeriod: resources.cpuRtPeriodUs ?? 0,
    CpuRealtimeRuntime: resources.cpuRtRuntimeUs ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    DeviceCgroupRules: limits.deviceCgroupRules?.map(formatDeviceCgroupRule) ?? null,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? (resources.memoryBytes ?? 0) * 2,
    MemorySwappiness: resources.memorySwappiness ?? null,
    OomKillDisable: resources.oomKillDisable ?? false,
    OomScoreAdj: limits.oomScoreAdj ?? 0,
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ...(resources.hugepages && {
      HugepageLimits: resources.hugepages.map(({ pageSize, limitBytes }) => ({
        PageSize: pageSize,
        Limit: limitBytes,
      })),
    }),
    ...(resources.rdma && { Rdma: resources.rdma }),
    ...(networkLimits.rate && { NetworkRate: networkLimits.rate }),
    ...(networkLimits.refuse && { NetworkRefuse: networkLimits.refuse.map(formatRefusal) }),
    ...(egress && { NetworkAllow: egress.allow.map(formatEgressRule) }),
    ...(limits.rdtClass !== undefined && { RdtClass: limits.rdtClass }),
  }
}

function ratesDocument(rates: readonly DeviceRate[] = []): { Path: string; Rate: number }[] {
  return rates.map(({ device, rate }) => ({ Path: device, Rate: rate }))
}
