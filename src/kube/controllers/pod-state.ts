import type { Pod } from "kubernetes-types/core/v1"
import { conditionOf } from "./conditions.ts"
import type { Kept } from "./kept.ts"
import { timeOf } from "./times.ts"

export type KeptPod = Kept<Pod>

export function isReady({ status }: KeptPod): boolean {
  return conditionOf(status?.conditions, "Ready")?.status === "True"
}

/** Ready for `minReadySeconds`. In how many milliseconds it will be; 0: it is; undefined: it is not ready. Pure. */
export function availableIn(pod: KeptPod, minReadySeconds: number, now: number): number | undefined {
  const ready = conditionOf(pod.status?.conditions, "Ready")
  if (ready?.status !== "True") return undefined
  if (minReadySeconds === 0) return 0
  return Math.max(0, (timeOf(ready.lastTransitionTime) ?? now) + minReadySeconds * 1000 - now)
}

export function isTerminating({ metadata }: Pick<KeptPod, "metadata">): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** It has ended, and will not run again. */
export function isFinished({ status }: KeptPod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed"
}

/** What counts as one of a set's: neither ended nor ending. */
export function isActive(pod: KeptPod): boolean {
  return !isFinished(pod) && !isTerminating(pod)
}

export function restartsOf({ status }: KeptPod): number {
  return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)
}

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * In the order in which a set gives them up: not placed, pending, not ready, of the smaller cost, ready for a shorter time, restarted more
 * often, newer (kubernetes: controller_utils.go, ActivePodsWithRanks). Pure.
 */
export function inDeletionOrder(pods: readonly KeptPod[]): KeptPod[] {
  return pods.toSorted(
    (a, b) =>
      Number(a.spec?.nodeName !== undefined) - Number(b.spec?.nodeName !== undefined) ||
      (PHASE_RANK[a.status?.phase ?? "Pending"] ?? 0) - (PHASE_RANK[b.status?.phase ?? "Pending"] ?? 0) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      costOf(a) - costOf(b) ||
      readySince(b) - readySince(a) ||
      restartsOf(b) - restartsOf(a) ||
      (timeOf(b.metadata.creationTimestamp) ?? 0) - (timeOf(a.metadata.creationTimestamp) ?? 0),
  )
}

function costOf({ metadata }: KeptPod): number {
  const cost = Number(metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0)
  return Number.isFinite(cost) ? cost : 0
}

function readySince({ status }: KeptPod): number {
  const ready = conditionOf(status?.conditions, "Ready")
  return ready?.status === "True" ? (timeOf(ready.lastTransitionTime) ?? 0) : 0
}
