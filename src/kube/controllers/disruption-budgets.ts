import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "kubernetes-types/policy/v1"
import type { Pod } from "kubernetes-types/core/v1"
import { keyOf } from "./cluster.ts"
import { withCondition } from "./conditions.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import { controllerOf } from "./owners.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { isActive, isReady, type KeptPod } from "./pod-state.ts"
import { shareOf } from "./rollout.ts"
import { selects } from "./selector.ts"

const RESOURCE = "poddisruptionbudgets.policy"

type KeptBudget = Kept<PodDisruptionBudget>

/** How many of a budget's pods may be taken away now. `expected`: as many as their owners want. Pure. */
export function budgetStatus(
  { spec, metadata, status }: KeptBudget,
  pods: readonly KeptPod[],
  expected: number,
  now: number,
): PodDisruptionBudgetStatus {
  const currentHealthy = pods.filter(isReady).length
  const { minAvailable, maxUnavailable } = spec ?? {}
  const desiredHealthy =
    maxUnavailable !== undefined
      ? Math.max(0, expected - shareOf(maxUnavailable, expected, Math.ceil))
      : shareOf(minAvailable ?? 1, expected, Math.ceil)
  const disruptionsAllowed = expected === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  const isAllowed = disruptionsAllowed > 0
  return {
    observedGeneration: metadata.generation,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods: expected,
    conditions: withCondition(
      status?.conditions,
      {
        type: "DisruptionAllowed",
        status: isAllowed ? "True" : "False",
        reason: isAllowed ? "SufficientPods" : "InsufficientPods",
        message: "",
        observedGeneration: metadata.generation,
      } as NonNullable<PodDisruptionBudgetStatus["conditions"]>[0],
      now,
    ),
  }
}

/** Says how many pods may be evicted. */
export function disruptionController({ cluster, now }: ControllerDeps): Controller {
  return {
    name: "disruption-controller",
    *keysOf({ resource, object, previous }) {
      const { namespace, name } = object.metadata
      if (resource === RESOURCE) yield keyOf(namespace, name)
      if (resource !== "pods") return
      for (const { metadata, spec } of cluster.list<PodDisruptionBudget>(RESOURCE, namespace))
        if ([object, previous].some((one) => one && selects(spec?.selector, one.metadata.labels)))
          yield keyOf(metadata.namespace, metadata.name)
    },
    reconcile(key) {
      const budget = cluster.byKey<PodDisruptionBudget>(RESOURCE, key)
      if (budget === undefined) return
      const pods = cluster
        .list<Pod>("pods", budget.metadata.namespace)
        .filter((pod) => isActive(pod) && selects(budget.spec?.selector, pod.metadata.labels))
      const status = budgetStatus(budget, pods, expectedOf(pods), now())
      cluster.patchStatus<PodDisruptionBudget>(RESOURCE, budget, () => status)
    },
  }

  /** What the pods' owners want together; a pod of nobody's counts for itself. */
  function expectedOf(pods: readonly KeptPod[]): number {
    const owners = new Set(pods.flatMap((pod) => controllerOf(pod)?.uid ?? []))
    const alone = pods.filter((pod) => controllerOf(pod) === undefined).length
    return [...owners].reduce((sum, uid) => {
      const spec = cluster.byUid(uid)?.object["spec"] as { replicas?: number } | undefined
      return sum + (spec?.replicas ?? pods.filter((pod) => controllerOf(pod)?.uid === uid).length)
    }, alone)
  }
}
