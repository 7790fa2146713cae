/** Changes of what a running pod may use. */
import type { Node, Pod, ResourceRequirements } from "kubernetes-types/core/v1"
import type { ContainerChanges, Resources } from "../../../container/container.ts"
import type { Cluster } from "../../controllers/cluster.ts"
import { isFinished, type KeptPod } from "../../controllers/pod-state.ts"
import { bytesText, milliCpu, milliText, quantity } from "../../controllers/quantities.ts"
import { requestsOf } from "../../controllers/scheduler.ts"

/** What a pod's status says of a resize that is not done. */
export interface ResizeCondition {
  type: "PodResizePending" | "PodResizeInProgress"
  reason: string
  message: string
}

const KEYS = ["cpuPeriodUs", "cpuQuotaUs", "cpuShares", "memoryBytes", "memoryReservationBytes"] as const

/** From what a container has to what it shall have; undefined: nothing. Pure. */
export function changedResources(has: Resources, wanted: Resources): ContainerChanges["resources"] {
  const changes: Record<string, number | null> = {}
  for (const key of KEYS) if (has[key] !== wanted[key]) changes[key] = wanted[key] ?? null
  return Object.keys(changes).length === 0 ? undefined : changes
}

/** Why the node has not what a pod asks for now (kubernetes: allocation_manager.go). Pure but for the cache. */
export function resizeRefusal(
  pod: KeptPod,
  cluster: Cluster,
  nodeName: string,
): { reason: "Infeasible" | "Deferred"; message: string } | undefined {
  const allocatable = cluster.find<Node>("nodes", nodeName)?.status?.allocatable
  if (allocatable === undefined) return undefined
  const others = cluster
    .list<Pod>("pods")
    .filter((one) => one.spec?.nodeName === nodeName && one.metadata.uid !== pod.metadata.uid && !isFinished(one))
    .map(requestsOf)
  const wanted = requestsOf(pod)
  for (const name of ["cpu", "memory"] as const) {
    const capacity = name === "cpu" ? milliCpu(allocatable[name]) : quantity(allocatable[name])
    const show = (value: number): string => (name === "cpu" ? milliText(value) : bytesText(value))
    if (wanted[name] > capacity)
      return {
        reason: "Infeasible",
        message: `Node didn't have enough capacity: ${name}, requested: ${show(wanted[name])}, capacity: ${show(capacity)}`,
      }
    const used = others.reduce((sum, one) => sum + one[name], 0)
    if (wanted[name] > 0 && used + wanted[name] > capacity)
      return {
        reason: "Deferred",
        message: `Node didn't have enough resource: ${name}, requested: ${show(wanted[name])}, used: ${show(used)}, capacity: ${show(capacity)}`,
      }
  }
  return undefined
}

/** As a container's status says what it has; of one that the engine limits in nothing: nothing. Pure. */
export function statusResources(
  { limits, requests }: ResourceRequirements,
  has: Resources,
): Pick<ResourceRequirements, "limits" | "requests"> | undefined {
  if (limits === undefined && requests === undefined) return undefined
  const { cpuQuotaUs, cpuPeriodUs, memoryBytes, cpuShares, memoryReservationBytes } = has
  return {
    ...(limits && {
      limits: kept(limits, {
        cpu:
          cpuQuotaUs && cpuPeriodUs ? sameCpu(limits["cpu"], Math.round((cpuQuotaUs * 1000) / cpuPeriodUs)) : undefined,
        memory: memoryBytes === undefined ? undefined : sameBytes(limits["memory"], memoryBytes),
      }),
    }),
    ...(requests && {
      requests: kept(requests, {
        cpu: cpuShares === undefined ? undefined : sameCpu(requests["cpu"], Math.ceil((cpuShares * 1000) / 1024)),
        memory:
          memoryReservationBytes === undefined ? undefined : sameBytes(requests["memory"], memoryReservationBytes),
      }),
    }),
  }
}

function kept(
  values: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, own[name] ?? value]))
}

/** In the words of the spec, where they mean the same. */
function sameBytes(text: string | undefined, bytes: number): string {
  return text !== undefined && quantity(text) === bytes ? text : bytesText(bytes)
}

function sameCpu(text: string | undefined, milli: number): string {
  return text !== undefined && milliCpu(text) === milli ? text : milliText(milli)
}
