/** Limits: CRI's, where 0 and the empty text mean "not said", and the engine's. */
import type { ContainerChanges, Resources } from "../../container/container.ts"
import { InvalidArgument } from "../../base/errors.ts"
import type { LinuxContainerResources } from "../protocol/messages.ts"
import type { Sent } from "../protocol/service.ts"

/** What of a host limits depend on. */
export interface LimitHost {
  /** Swap can be bounded. */
  swap: boolean
  isUnified: boolean
  /** Huge pages are counted. */
  hugepages: boolean
}

/** What is said of limits, and nothing else. Throws InvalidArgument. Pure. */
export function resourcesOf(given: LinuxContainerResources | null, host: LimitHost): Resources {
  if (given === null) return {}
  const memoryBytes = said(given.memory_limit_in_bytes, "memory_limit_in_bytes")
  const swap = said(given.memory_swap_limit_in_bytes, "memory_swap_limit_in_bytes")
  return {
    ...defined({
      memoryBytes,
      // without a word of it a container has as much as its memory, and no swap
      memorySwapBytes: memoryBytes !== undefined && host.swap ? (swap ?? memoryBytes) : undefined,
      cpuPeriodUs: said(given.cpu_period, "cpu_period"),
      cpuQuotaUs: said(given.cpu_quota, "cpu_quota"),
      cpuShares: said(given.cpu_shares, "cpu_shares"),
      cpusetCpus: given.cpuset_cpus || undefined,
      cpusetMems: given.cpuset_mems || undefined,
    }),
    ...hugepagesOf(given.hugepage_limits, host),
    // on v1 there are no such files
    ...(host.isUnified && Object.keys(given.unified).length > 0 && { unified: { ...given.unified } }),
  }
}

/** Kubelet says none of each size that the host has: where they are not counted, nobody can be kept from them. */
function hugepagesOf(given: LinuxContainerResources["hugepage_limits"], host: LimitHost): Pick<Resources, "hugepages"> {
  const hugepages = given
    .filter(({ limit }) => host.hugepages || Number(limit) > 0)
    .map(({ page_size, limit }) => ({ pageSize: page_size, limitBytes: Number(limit) }))
  return hugepages.length > 0 ? { hugepages } : {}
}

type Changes = NonNullable<ContainerChanges["resources"]>

/** What changes of them: -1 lifts a limit, what is not said stays. Throws InvalidArgument. Pure. */
export function resourceChanges(given: LinuxContainerResources | null, host: LimitHost): Changes {
  if (given === null) return {}
  const lifted: [keyof Changes, boolean][] = [
    ["cpuQuotaUs", given.cpu_quota === "-1"],
    ["memoryBytes", given.memory_limit_in_bytes === "-1"],
    ["memorySwapBytes", given.memory_limit_in_bytes === "-1" && host.swap],
  ]
  return {
    ...resourcesOf(given, host),
    ...Object.fromEntries(lifted.flatMap(([name, isLifted]) => (isLifted ? [[name, null]] : []))),
  }
}

const shown = (value: number | undefined): string => String(value ?? 0)

/** As CRI shows them. Pure. */
export function toResources(resources: Resources, oomScoreAdj = 0): Sent<LinuxContainerResources> {
  return {
    cpu_period: shown(resources.cpuPeriodUs),
    cpu_quota: shown(resources.cpuQuotaUs),
    cpu_shares: shown(resources.cpuShares),
    memory_limit_in_bytes: shown(resources.memoryBytes),
    memory_swap_limit_in_bytes: shown(resources.memorySwapBytes),
    oom_score_adj: shown(oomScoreAdj),
    cpuset_cpus: resources.cpusetCpus ?? "",
    cpuset_mems: resources.cpusetMems ?? "",
    hugepage_limits: (resources.hugepages ?? []).map(({ pageSize, limitBytes }) => ({
      page_size: pageSize,
      limit: String(limitBytes),
    })),
    unified: { ...resources.unified },
  }
}

/** 0: not said; -1: no limit, which is what there is without a word. */
function said(text: string, field: string): number | undefined {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < -1)
    throw new InvalidArgument(`invalid ${field} ${text}`, { field: `resources.${field}` })
  return value <= 0 ? undefined : value
}

function defined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}
