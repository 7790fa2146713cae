import { AwaitsAdmission } from "../api/admission/webhooks/gate.ts"
import type { ReplicaSet, ReplicaSetStatus } from "kubernetes-types/apps/v1"
import type { Pod, PodTemplateSpec, ReplicationController } from "kubernetes-types/core/v1"
import type { Controller } from "./controller.ts"
import { withCondition, withoutCondition } from "./conditions.ts"
import type { Kept } from "./kept.ts"
import { keyOf } from "./cluster.ts"
import { adopterKeys, claim, ownerKeys } from "./owners.ts"
import { BURST, createPod, deletePod, type ControllerDeps } from "./pod-control.ts"
import { availableIn, inDeletionOrder, isActive, isReady, type KeptPod } from "./pod-state.ts"
import { selects, selectsAll } from "./selector.ts"

/** ReplicaSet and ReplicationController differ in their selectors alone. */
interface Variant {
  resource: string
  kind: "ReplicaSet" | "ReplicationController"
  component: string
  fits(set: Kept<ReplicaSet | ReplicationController>, labels: Readonly<Record<string, string>> | undefined): boolean
}

const VARIANTS: readonly Variant[] = [
  {
    resource: "replicasets.apps",
    kind: "ReplicaSet",
    component: "replicaset-controller",
    fits: (set, labels) => selects((set as Kept<ReplicaSet>).spec?.selector, labels),
  },
  {
    resource: "replicationcontrollers",
    kind: "ReplicationController",
    component: "replication-controller",
    fits: (set, labels) => {
      const { selector, template } = (set as Kept<ReplicationController>).spec ?? {}
      return selectsAll(selector ?? template?.metadata?.labels ?? { "": "" }, labels)
    },
  },
]

export interface ReplicaPlan {
  create: number
  remove: KeptPod[]
}

/** What brings the number of pods to what is wanted. `pods`: those that count. Pure. */
export function planReplicas(wanted: number, pods: readonly KeptPod[]): ReplicaPlan {
  const missing = wanted - pods.length
  if (missing >= 0) return { create: Math.min(missing, BURST), remove: [] }
  return { create: 0, remove: inDeletionOrder(pods).slice(0, Math.min(-missing, BURST)) }
}

/** Keeps as many pods as each set says. */
export function replicaSetControllers(deps: ControllerDeps): Controller[] {
  return VARIANTS.map((variant) => replicaSets(deps, variant))
}

function replicaSets(deps: ControllerDeps, { resource, kind, component, fits }: Variant): Controller {
  const { cluster } = deps
  type Set = Kept<ReplicaSet>
  return {
    name: component,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === resource) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource !== "pods") return
      yield* ownerKeys(change, kind)
      yield* adopterKeys<ReplicaSet>(cluster, resource, change, (set) => fits(set, metadata.labels))
    },
    reconcile(key) {
      const set = cluster.byKey<ReplicaSet>(resource, key)
      if (set === undefined) return undefined
      const pods = claim<Pod>(cluster, "pods", set, (pod) => fits(set, pod.metadata.labels))
      const active = pods.filter(isActive)
      const wanted = set.spec?.replicas ?? 1
      let failure: unknown
      if (set.metadata.deletionTimestamp === undefined) failure = act(set, wanted, active)
      const now = deps.now()
      const kept = cluster.ownedBy<Pod>(set.metadata.uid, "pods")
      const status = replicaStatus(set, kept.filter(isActive), { now, failure, wanted })
      cluster.patchStatus<ReplicaSet>(resource, set, () => status)
      if (failure !== undefined) throw failure as Error
      return nextAvailable(active, set.spec?.minReadySeconds ?? 0, now)
    },
  }

  /** Gives what failed. */
  function act(set: Set, wanted: number, active: readonly KeptPod[]): unknown {
    const plan = planReplicas(wanted, active)
    try {
      for (const pod of plan.remove) deletePod(deps, set, pod, component)
      for (let at = 0; at < plan.create; at++)
        createPod(deps, set, { template: set.spec?.template as PodTemplateSpec, component })
      return undefined
    } catch (error) {
      if (error instanceof AwaitsAdmission) throw error
      return error
    }
  }
}

/** When the next one that is ready will have been so for long enough. */
export function nextAvailable(pods: readonly KeptPod[], minReadySeconds: number, now: number): number | undefined {
  const waits = pods.flatMap((pod) => availableIn(pod, minReadySeconds, now) || [])
  return waits.length === 0 ? undefined : Math.min(...waits) + 10
}

/** Pure. */
export function replicaStatus(
  { metadata, spec, status }: Kept<ReplicaSet>,
  pods: readonly KeptPod[],
  { now, failure, wanted }: { now: number; failure?: unknown; wanted: number },
): ReplicaSetStatus {
  const labels = spec?.template?.metadata?.labels
  const minReadySeconds = spec?.minReadySeconds ?? 0
  const ready = pods.filter(isReady).length
  const available = pods.filter((pod) => availableIn(pod, minReadySeconds, now) === 0).length
  const full = pods.filter((pod) => selectsAll(labels, pod.metadata.labels)).length
  const conditions =
    failure === undefined
      ? withoutCondition(status?.conditions, "ReplicaFailure")
      : withCondition(
          status?.conditions,
          {
            type: "ReplicaFailure",
            status: "True",
            reason: pods.length < wanted ? "FailedCreate" : "FailedDelete",
            message: (failure as Error).message,
          },
          now,
        )
  return {
    replicas: pods.length,
    ...(full > 0 && { fullyLabeledReplicas: full }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    observedGeneration: metadata.generation,
    ...(conditions.length > 0 && { conditions }),
  } as ReplicaSetStatus
}
