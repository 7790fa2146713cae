import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "kubernetes-types/apps/v1"
import type { PersistentVolumeClaim, Pod } from "kubernetes-types/core/v1"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import { adopterKeys, claim, controllerReference, ownerKeys } from "./owners.ts"
import { BURST, createPod, deletePod, type ControllerDeps } from "./pod-control.ts"
import { availableIn, isFinished, isReady, isTerminating, type KeptPod } from "./pod-state.ts"
import { nextAvailable } from "./replica-sets.ts"
import { shareOf } from "./rollout.ts"
import { keepRevision, REVISIONS } from "./revisions.ts"
import { selects } from "./selector.ts"
import { REVISION_HASH } from "./template-hash.ts"

const RESOURCE = "statefulsets.apps"
const COMPONENT = "statefulset-controller"
const CLAIMS = "persistentvolumeclaims"
const POD_NAME = "statefulset.kubernetes.io/pod-name"
const POD_INDEX = "apps.kubernetes.io/pod-index"

type KeptSet = Kept<StatefulSet>

/** One place of a set, as a plan sees it. */
export interface Place {
  ordinal: number
  /** Undefined: nobody has it. */
  pod: KeptPod | undefined
}

/** The ordinals to make, and the pods to delete. */
export interface SetPlan {
  create: number[]
  delete: KeptPod[]
}

/** The ordinal in a pod's name; undefined for one that is not of the set. Pure. */
export function ordinalOf(set: string, pod: string): number | undefined {
  const text = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : ""
  return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined
}

/** What a set wants of its pods. */
export interface PlanInput {
  first: number
  replicas: number
  isParallel: boolean
  strategy: "RollingUpdate" | "OnDelete"
  /** Those below it keep their revision. */
  partition: number
  /** How many may be away in an update at once. */
  maxUnavailable: number
  updateRevision: string
  pods: ReadonlyMap<number, KeptPod>
  isAvailable(pod: KeptPod): boolean
}

/**
 * What is to be done next: one at a time and in order, or all at once (kubernetes: stateful_set_control.go). Pods are made from the first,
 * taken away and updated from the last. Pure.
 */
export function planSet(input: PlanInput): SetPlan {
  const { first, replicas, isParallel, pods, isAvailable } = input
  const condemned = [...pods.entries()]
    .filter(([ordinal]) => ordinal < first || ordinal >= first + replicas)
    .toSorted(([a], [b]) => b - a)
    .map(([, pod]) => pod)
  const plan: SetPlan = { create: [], delete: [] }
  for (let ordinal = first; ordinal < first + replicas && plan.create.length < BURST; ordinal++) {
    const pod = pods.get(ordinal)
    if (pod !== undefined && isFinished(pod) && !isTerminating(pod)) plan.delete.push(pod)
    else if (pod === undefined) plan.create.push(ordinal)
    const isStable = pod !== undefined && !isTerminating(pod) && !isFinished(pod) && isAvailable(pod)
    // the next one waits for it
    if (!isParallel && !isStable) return plan
  }
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (!isParallel) return plan
      continue
    }
    plan.delete.push(pod)
    if (!isParallel) return plan
  }
  if (plan.create.length > 0 || plan.delete.length > 0) return plan
  // all are there, so that they are no more than there are pods
  const wanted = Array.from({ length: replicas }, (_, index) => first + index)
  return { create: [], delete: toUpdate(input, wanted) }
}

function toUpdate(
  { strategy, partition, maxUnavailable, updateRevision, pods, isAvailable }: PlanInput,
  wanted: readonly number[],
): KeptPod[] {
  if (strategy === "OnDelete") return []
  let away = wanted.filter((ordinal) => {
    const pod = pods.get(ordinal)
    return pod === undefined || isTerminating(pod) || !isAvailable(pod)
  }).length
  const found: KeptPod[] = []
  for (const ordinal of wanted.toReversed()) {
    if (ordinal < partition) break
    const pod = pods.get(ordinal)
    if (pod === undefined || isTerminating(pod)) continue
    if (pod.metadata.labels?.[REVISION_HASH] === updateRevision) {
      if (!isAvailable(pod) && maxUnavailable <= 1) break
      continue
    }
    // one that does not serve anyway costs nothing more
    if (isAvailable(pod) && away >= maxUnavailable) break
    if (isAvailable(pod)) away++
    found.push(pod)
    if (found.length >= maxUnavailable) break
  }
  return found
}

/** Keeps pods with names, and what they have written. */
export function statefulSetController(deps: ControllerDeps): Controller {
  const { cluster } = deps
  return {
    name: COMPONENT,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === RESOURCE) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource !== "pods" && change.resource !== CLAIMS) return
      yield* ownerKeys(change, "StatefulSet")
      if (change.resource === "pods")
        yield* adopterKeys<StatefulSet>(cluster, RESOURCE, change, (set) => isOf(set, metadata))
    },
    reconcile(key) {
      const set = cluster.byKey<StatefulSet>(RESOURCE, key)
      if (set === undefined) return undefined
      const pods = claim<Pod>(cluster, "pods", set, ({ metadata }) => isOf(set, metadata))
      const now = deps.now()
      const { update, current } = revisionsOf(set, pods)
      if (set.metadata.deletionTimestamp === undefined) act(set, pods, { now, update, current })
      const left = cluster.ownedBy<Pod>(set.metadata.uid, "pods")
      cluster.patchStatus<StatefulSet>(RESOURCE, set, () => setStatus(set, left, { now, update, current }))
      return nextAvailable(pods, set.spec?.minReadySeconds ?? 0, now)
    },
  }

  function revisionsOf(set: KeptSet, pods: readonly KeptPod[]): { update: string; current: string } {
    const { template } = set.spec ?? {}
    const { name, all } = keepRevision(
      cluster,
      set,
      template,
      set.spec?.revisionHistoryLimit ?? 10,
      (revision) =>
        pods.some(({ metadata }) => metadata.labels?.[REVISION_HASH] === revision) ||
        set.status?.currentRevision === revision,
    )
    const before = set.status?.currentRevision
    const isKnown = before !== undefined && all.some(({ metadata }) => metadata.name === before)
    return { update: name, current: isKnown ? before : name }
  }

  function act(
    set: KeptSet,
    pods: readonly KeptPod[],
    { now, update, current }: { now: number; update: string; current: string },
  ): void {
    const { spec, metadata } = set
    const byOrdinal = new Map(
      pods.flatMap((pod) => {
        const ordinal = ordinalOf(metadata.name, pod.metadata.name)
        return ordinal === undefined ? [] : [[ordinal, pod] as const]
      }),
    )
    const replicas = spec?.replicas ?? 1
    const { updateStrategy, minReadySeconds = 0 } = spec ?? {}
    const rolling = updateStrategy?.rollingUpdate
    const partition = rolling?.partition ?? 0
    const first = spec?.ordinals?.start ?? 0
    const plan = planSet({
      first,
      replicas,
      isParallel: spec?.podManagementPolicy === "Parallel",
      strategy: updateStrategy?.type === "OnDelete" ? "OnDelete" : "RollingUpdate",
      partition,
      maxUnavailable: Math.max(1, shareOf(rolling?.maxUnavailable ?? 1, replicas, Math.floor) || 1),
      updateRevision: update,
      pods: byOrdinal,
      isAvailable: (pod) => availableIn(pod, minReadySeconds, now) === 0,
    })
    for (const [ordinal, pod] of byOrdinal) keepClaims(set, ordinal, pod)
    for (const pod of plan.delete) deletePod(deps, set, pod, COMPONENT)
    for (const ordinal of plan.create) {
      const revision = ordinal < first + partition ? current : update
      create(set, ordinal, revision)
    }
  }

  function create(set: KeptSet, ordinal: number, revision: string): void {
    const { spec, metadata } = set
    const name = `${metadata.name}-${ordinal}`
    const claims = keepClaims(set, ordinal, undefined)
    const stored = cluster.find<ControllerRevision>(REVISIONS, revision, metadata.namespace)
    const template =
      (stored?.data as unknown as { spec?: { template?: KeptSet["spec"] } } | undefined)?.spec?.template ??
      spec?.template
    const pod = (template ?? {}) as NonNullable<KeptSet["spec"]>["template"]
    const volumes = [
      ...claims.map(({ volume, claimName }) => ({ name: volume, persistentVolumeClaim: { claimName } })),
      ...(pod.spec?.volumes ?? []).filter(({ name: one }) => !claims.some(({ volume }) => volume === one)),
    ]
    createPod(deps, set, {
      template: pod,
      name,
      labels: { [POD_NAME]: name, [POD_INDEX]: String(ordinal), [REVISION_HASH]: revision },
      spec: {
        hostname: name,
        ...(spec?.serviceName && { subdomain: spec.serviceName }),
        ...(volumes.length > 0 && { volumes }),
      },
      component: COMPONENT,
    })
  }

  /** Made before the pod, and kept after it, unless the set says otherwise. */
  function keepClaims(
    set: KeptSet,
    ordinal: number,
    pod: KeptPod | undefined,
  ): { volume: string; claimName: string }[] {
    const { spec, metadata } = set
    const retention = (spec?.persistentVolumeClaimRetentionPolicy ?? {}) as {
      whenDeleted?: string
      whenScaled?: string
    }
    const first = spec?.ordinals?.start ?? 0
    const isCondemned = ordinal >= first + (spec?.replicas ?? 1) || ordinal < first
    return (spec?.volumeClaimTemplates ?? []).map((template) => {
      const volume = template.metadata?.name ?? ""
      const claimName = `${volume}-${metadata.name}-${ordinal}`
      const goesWithPod = retention.whenScaled === "Delete" && isCondemned && pod !== undefined
      // one owner that is left would keep it
      const owners = goesWithPod
        ? [{ apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid }]
        : retention.whenDeleted === "Delete"
          ? [controllerReference(set)]
          : []
      const there = cluster.find<PersistentVolumeClaim>(CLAIMS, claimName, metadata.namespace)
      if (there === undefined) {
        if (pod === undefined)
          cluster.create<PersistentVolumeClaim>(CLAIMS, {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: {
              name: claimName,
              namespace: metadata.namespace,
              labels: { ...template.metadata?.labels, ...spec?.selector.matchLabels },
              ...(template.metadata?.annotations && { annotations: template.metadata.annotations }),
              ...(owners.length > 0 && { ownerReferences: owners }),
            },
            spec: { ...template.spec },
            status: { phase: "Pending" },
          })
      } else if (JSON.stringify(there.metadata.ownerReferences ?? []) !== JSON.stringify(owners))
        cluster.patch<PersistentVolumeClaim>(CLAIMS, there, (now) => ({
          ...now,
          metadata: { ...now.metadata, ownerReferences: owners },
        }))
      return { volume, claimName }
    })
  }
}

function isOf({ metadata, spec }: KeptSet, pod: KeptPod["metadata"]): boolean {
  return selects(spec?.selector, pod.labels) && ordinalOf(metadata.name, pod.name) !== undefined
}

/** Pure. */
export function setStatus(
  { metadata, spec, status }: KeptSet,
  pods: readonly KeptPod[],
  { now, update, current }: { now: number; update: string; current: string },
): StatefulSetStatus {
  const live = pods.filter((pod) => !isFinished(pod))
  const of = (revision: string): number =>
    live.filter((pod) => !isTerminating(pod) && pod.metadata.labels?.[REVISION_HASH] === revision).length
  const replicas = spec?.replicas ?? 1
  const available = live.filter((pod) => availableIn(pod, spec?.minReadySeconds ?? 0, now) === 0 && !isTerminating(pod))
  const ready = live.filter(isReady).length
  const updated = of(update)
  // all are of the new revision, and serve: it is the current one now
  const isDone = updated === replicas && available.length === replicas && live.length === replicas
  const revision = isDone ? update : current
  return {
    observedGeneration: metadata.generation,
    replicas: live.length,
    ...(ready > 0 && { readyReplicas: ready }),
    availableReplicas: available.length,
    ...(of(revision) > 0 && { currentReplicas: of(revision) }),
    ...(updated > 0 && { updatedReplicas: updated }),
    currentRevision: revision,
    updateRevision: update,
    collisionCount: status?.collisionCount ?? 0,
  } as StatefulSetStatus
}
