import { defined } from "../../base/defined.ts"
import { parseSize } from "../../base/sizes.ts"
import type { ContainerOptions, LimitOptions, Resources } from "../../container/container.ts"
import { parseDeviceBytes, parseDeviceOperations, parseDeviceWeight } from "../../spec/docker/device-limit.ts"
import { parseDeviceCgroupRule } from "../../spec/docker/device-rule.ts"
import { parseUlimit } from "../../spec/docker/ulimit.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

type Limits = Pick<ContainerOptions, "resources" | "ulimits" | "limits" | "shmSizeBytes">

/** What a container may use: the service's own keys, over them `deploy.resources`. Throws InvalidArgument. */
export function limitOptions(context: ServiceContext): Limits {
  const { service } = context
  for (const key of ["cpu_count", "cpu_percent"] as const)
    if (service[key]) context.warn(`${keyOf(context, key)} is for containers of Windows, and has no effect: use cpus`)
  const limits: LimitOptions = defined({
    oomScoreAdj: service.oom_score_adj,
    cgroupParent: service.cgroup_parent || undefined,
    deviceCgroupRules: nonEmpty(service.device_cgroup_rules)?.map((text, index) =>
      atKey(keyOf(context, "device_cgroup_rules", index), () => parseDeviceCgroupRule(text)),
    ),
    storage: service.storage_opt,
  })
  return {
    resources: { ...ownResources(context), ...deployResources(context), ...blkio(context) },
    ulimits: ulimits(context),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...defined({ shmSizeBytes: size(context, service.shm_size, "shm_size") }),
  }
}

function ownResources(context: ServiceContext): Resources {
  const { service } = context
  return defined({
    memoryBytes: size(context, service.mem_limit, "mem_limit") || undefined,
    memorySwapBytes: service.memswap_limit === "-1" ? -1 : size(context, service.memswap_limit, "memswap_limit"),
    memoryReservationBytes: size(context, service.mem_reservation, "mem_reservation") || undefined,
    memorySwappiness: numberOf(context, service.mem_swappiness, "mem_swappiness"),
    cpus: service.cpus || undefined,
    cpuShares: service.cpu_shares || undefined,
    cpuPeriodUs: service.cpu_period || undefined,
    cpuQuotaUs: service.cpu_quota || undefined,
    cpuRtPeriodUs: service.cpu_rt_period || undefined,
    cpuRtRuntimeUs: service.cpu_rt_runtime || undefined,
    cpusetCpus: service.cpuset || undefined,
    pidsLimit: service.pids_limit || undefined,
    oomKillDisable: service.oom_kill_disable || undefined,
  })
}

/** Of reservations the memory alone means something on one host; devices are devices.ts's. */
function deployResources(context: ServiceContext): Resources {
  const { limits, reservations } = context.service.deploy?.resources ?? {}
  return defined({
    memoryBytes: size(context, limits?.memory, "deploy.resources.limits.memory") || undefined,
    cpus: numberOf(context, limits?.cpus, "deploy.resources.limits.cpus") || undefined,
    pidsLimit: limits?.pids || undefined,
    memoryReservationBytes: size(context, reservations?.memory, "deploy.resources.reservations.memory") || undefined,
  })
}

function blkio(context: ServiceContext): Resources {
  const config = context.service.blkio_config
  if (config === undefined) return {}
  const each = <T>(key: keyof typeof config & string, parse: (text: string) => T): T[] | undefined => {
    const rows = config[key] as { path: string; rate?: string | number; weight?: number }[] | undefined
    return nonEmpty(rows)?.map(({ path, rate, weight }, index) =>
      atKey(keyOf(context, "blkio_config", key, index), () => parse(`${path}:${rate ?? weight}`)),
    )
  }
  return defined({
    blkioWeight: config.weight || undefined,
    blkioWeightDevices: each("weight_device", parseDeviceWeight),
    deviceReadBps: each("device_read_bps", parseDeviceBytes),
    deviceWriteBps: each("device_write_bps", parseDeviceBytes),
    deviceReadIops: each("device_read_iops", parseDeviceOperations),
    deviceWriteIops: each("device_write_iops", parseDeviceOperations),
  })
}

function ulimits(context: ServiceContext): Limits["ulimits"] {
  return Object.entries(context.service.ulimits ?? {}).map(([name, limit]) => {
    const { soft, hard } = typeof limit === "object" ? limit : { soft: limit, hard: limit }
    return atKey(keyOf(context, "ulimits", name), () => parseUlimit(`${name}=${soft}:${hard}`))
  })
}

function size(context: ServiceContext, text: string | undefined, key: string): number | undefined {
  return text === undefined ? undefined : atKey(keyOf(context, key), () => parseSize(String(text)))
}

function numberOf(context: ServiceContext, text: string | undefined, key: string): number | undefined {
  if (text === undefined || text === "") return undefined
  const value = Number(text)
  if (!Number.isFinite(value)) throw wrongValue(keyOf(context, key), `"${text}" is not a number`)
  return value
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}
