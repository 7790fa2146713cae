import type { Deployment, DeploymentStatus, ReplicaSet } from "kubernetes-types/apps/v1"
import { conditionOf, withCondition, withoutCondition } from "./conditions.ts"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import { adopterKeys, claim, controllerReference, ownerKeys } from "./owners.ts"
import { planRollout, resolveFenceposts, type SetScale } from "./rollout.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { selects } from "./selector.ts"
import { hashOf, sameTemplate, TEMPLATE_HASH } from "./template-hash.ts"
import { timeOf } from "./times.ts"

const RESOURCE = "deployments.apps"
const SETS = "replicasets.apps"
const COMPONENT = "deployment-controller"
export const REVISION = "deployment.kubernetes.io/revision"
const HISTORY = "deployment.kubernetes.io/revision-history"
const DESIRED = "deployment.kubernetes.io/desired-replicas"
const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
/** Of the Deployment's annotations not the sets' too. */
const OWN_ANNOTATIONS = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  HISTORY,
  DESIRED,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
])
const DEFAULT_HISTORY = 10
const DEFAULT_DEADLINE_S = 600

type KeptDeployment = Kept<Deployment>
type KeptSet = Kept<ReplicaSet>

const replicasOf = (set: KeptSet): number => set.spec?.replicas ?? 0
const createdAt = ({ metadata }: KeptSet): number => timeOf(metadata.creationTimestamp) ?? 0
export const revisionOf = ({ metadata }: Pick<KeptSet, "metadata">): number =>
  Number(metadata.annotations?.[REVISION] ?? 0) || 0

/** Rolls Deployments out by ReplicaSets, one of each revision. */
export function deploymentController(deps: ControllerDeps): Controller {
  const { cluster, recorder } = deps
  return {
    name: COMPONENT,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === RESOURCE) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource === SETS) {
        yield* ownerKeys(change, "Deployment")
        yield* adopterKeys<Deployment>(cluster, RESOURCE, change, ({ spec }) =>
          selects(spec?.selector, metadata.labels),
        )
      }
      // Recreate waits for the last old pod to be gone
      if (change.resource === "pods" && change.type === "DELETED")
        for (const set of ownerKeys(change, "ReplicaSet")) {
          const found = cluster.byKey<ReplicaSet>(SETS, set)
          const owner = found?.metadata.ownerReferences?.find(({ controller }) => controller)
          if (owner?.kind === "Deployment") yield keyOf(metadata.namespace, owner.name)
        }
    },
    reconcile(key) {
      const deployment = cluster.byKey<Deployment>(RESOURCE, key)
      if (deployment === undefined) return undefined
      const sets = claim<ReplicaSet>(cluster, SETS, deployment, ({ metadata }) =>
        selects(deployment.spec?.selector, metadata.labels),
      )
      if (deployment.metadata.deletionTimestamp !== undefined) return writeStatus(deployment, sets)
      const isPaused = deployment.spec?.paused === true
      let current = newestSet(deployment, sets)
      if (current === undefined && !isPaused) {
        if (isRecreate(deployment) && !areOldGone(sets)) {
          for (const set of sets) scale(deployment, set, 0)
          return writeStatus(deployment, owned(deployment))
        }
        current = createSet(deployment, sets)
      }
      if (current !== undefined) current = keepSet(deployment, current, sets)
      roll(deployment, current, isPaused)
      if (current !== undefined && !isPaused) forgetHistory(deployment, current)
      return writeStatus(deployment, owned(deployment))
    },
  }

  function owned(deployment: KeptDeployment): KeptSet[] {
    return cluster
      .ownedBy<ReplicaSet>(deployment.metadata.uid, SETS)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  }

  function areOldGone(sets: readonly KeptSet[]): boolean {
    return sets.every((set) => cluster.ownedBy(set.metadata.uid, "pods").length === 0)
  }

  function createSet(deployment: KeptDeployment, sets: readonly KeptSet[]): KeptSet {
    const { spec, metadata, status } = deployment
    const hash = hashOf(spec?.template, status?.collisionCount ?? 0)
    const name = `${metadata.name}-${hash}`
    const { labels, annotations } = spec?.template?.metadata ?? {}
    const others = sets.reduce((sum, set) => sum + replicasOf(set), 0)
    const replicas = initialReplicas(deployment, others)
    const taken = cluster.find<ReplicaSet>(SETS, name, metadata.namespace)
    if (taken !== undefined) {
      // of another template by the same name: one more count makes another name
      cluster.patchStatus<Deployment>(RESOURCE, deployment, (now) => ({
        ...now.status,
        collisionCount: (now.status?.collisionCount ?? 0) + 1,
      }))
      throw new Error(`the name "${name}" is taken by another ReplicaSet`)
    }
    const set = cluster.create<ReplicaSet>(SETS, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name,
        namespace: metadata.namespace,
        labels: { ...labels, [TEMPLATE_HASH]: hash },
        annotations: setAnnotations(deployment, nextRevision(sets)),
        ownerReferences: [controllerReference(deployment)],
      },
      spec: {
        replicas,
        ...(spec?.minReadySeconds !== undefined && { minReadySeconds: spec.minReadySeconds }),
        selector: {
          ...spec?.selector,
          matchLabels: { ...spec?.selector.matchLabels, [TEMPLATE_HASH]: hash },
        },
        template: {
          ...spec?.template,
          metadata: { ...(annotations && { annotations }), labels: { ...labels, [TEMPLATE_HASH]: hash } },
        },
      },
      status: { replicas: 0 },
    })
    tellScaled(deployment, set, 0, replicas)
    progress(deployment, "True", "NewReplicaSetCreated", `Created new replica set "${name}"`)
    return set
  }

  /** The newest has the highest revision, and what the Deployment says of all its sets. */
  function keepSet(deployment: KeptDeployment, current: KeptSet, sets: readonly KeptSet[]): KeptSet {
    const highest = Math.max(0, ...sets.filter((one) => one !== current).map(revisionOf))
    const revision = revisionOf(current) > highest ? revisionOf(current) : highest + 1
    const wanted = setAnnotations(deployment, revision, current)
    const kept = cluster.patch<ReplicaSet>(SETS, current, (now) => ({
      ...now,
      metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, ...wanted } },
      spec: { ...now.spec, minReadySeconds: deployment.spec?.minReadySeconds },
    }))
    if (deployment.metadata.annotations?.[REVISION] !== String(revision))
      cluster.patch<Deployment>(RESOURCE, deployment, (now) => ({
        ...now,
        metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, [REVISION]: String(revision) } },
      }))
    return kept ?? current
  }

  function roll(deployment: KeptDeployment, current: KeptSet | undefined, isPaused: boolean): void {
    const sets = owned(deployment)
    const plan = planRollout({
      wanted: deployment.spec?.replicas ?? 1,
      strategy: isRecreate(deployment) ? "Recreate" : "RollingUpdate",
      isPaused,
      bounds: resolveFenceposts(deployment.spec?.strategy?.rollingUpdate, deployment.spec?.replicas ?? 1),
      current: current && scaleOf(sets.find(({ metadata }) => metadata.uid === current.metadata.uid) ?? current),
      old: sets
        .filter(({ metadata }) => metadata.uid !== current?.metadata.uid)
        .toSorted((a, b) => createdAt(a) - createdAt(b))
        .map(scaleOf),
      desiredBefore: desiredOf(sets),
    })
    for (const [uid, replicas] of plan) {
      const set = sets.find(({ metadata }) => metadata.uid === uid)
      if (set !== undefined) scale(deployment, set, replicas)
    }
  }

  function scale(deployment: KeptDeployment, set: KeptSet, replicas: number): void {
    const before = replicasOf(set)
    const wanted = String(deployment.spec?.replicas ?? 1)
    cluster.patch<ReplicaSet>(SETS, set, (now) => ({
      ...now,
      metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, [DESIRED]: wanted } },
      spec: { ...now.spec, replicas },
    }))
    if (before !== replicas) tellScaled(deployment, set, before, replicas)
  }

  function tellScaled(deployment: KeptDeployment, set: KeptSet, from: number, to: number): void {
    if (from === to) return
    const direction = to >= from ? "up" : "down"
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${to}`
    recorder.tell(deployment, { reason: "ScalingReplicaSet", message, component: COMPONENT })
  }

  function forgetHistory(deployment: KeptDeployment, current: KeptSet): void {
    const limit = deployment.spec?.revisionHistoryLimit ?? DEFAULT_HISTORY
    const old = owned(deployment)
      .filter(
        (set) =>
          set.metadata.uid !== current.metadata.uid &&
          replicasOf(set) === 0 &&
          (set.status?.replicas ?? 0) === 0 &&
          (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0),
      )
      .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    for (const set of old.slice(0, Math.max(0, old.length - limit))) cluster.delete(SETS, set)
  }

  function progress(deployment: KeptDeployment, status: string, reason: string, message: string): void {
    cluster.patchStatus<Deployment>(RESOURCE, deployment, (now) => ({
      ...now.status,
      conditions: withCondition(now.status?.conditions, { type: "Progressing", status, reason, message }, deps.now(), {
        updates: true,
      }),
    }))
  }

  function writeStatus(given: KeptDeployment, sets: readonly KeptSet[]): number | undefined {
    const { namespace, name } = given.metadata
    const deployment = cluster.find<Deployment>(RESOURCE, name, namespace)
    if (deployment === undefined) return undefined
    const status = deploymentStatus(deployment, sets, deps.now())
    cluster.patchStatus<Deployment>(RESOURCE, deployment, () => status)
    const progressing = conditionOf(status.conditions, "Progressing")
    if (progressing?.status !== "True" || progressing.reason === "NewReplicaSetAvailable") return undefined
    const deadline = deployment.spec?.progressDeadlineSeconds ?? DEFAULT_DEADLINE_S
    const since = timeOf(progressing.lastUpdateTime) ?? deps.now()
    return deployment.spec?.paused ? undefined : Math.max(1000, since + deadline * 1000 - deps.now() + 1000)
  }
}

const isRecreate = ({ spec }: KeptDeployment): boolean => spec?.strategy?.type === "Recreate"

/**
 * The set of the template as it is now; the oldest, where a clash made two. By its hash, too: what was kept without the API's defaults has
 * them in its set alone.
 */
function newestSet(
  { spec, status }: Pick<KeptDeployment, "spec" | "status">,
  sets: readonly KeptSet[],
): KeptSet | undefined {
  const live = sets
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => createdAt(a) - createdAt(b))
  const hash = hashOf(spec?.template, status?.collisionCount ?? 0)
  return (
    live.find((set) => sameTemplate(set.spec?.template, spec?.template)) ??
    live.find(({ metadata }) => metadata.labels?.[TEMPLATE_HASH] === hash)
  )
}

const nextRevision = (sets: readonly KeptSet[]): number => Math.max(0, ...sets.map(revisionOf)) + 1

/** How many a new set has at once: as many as the surge lets it. */
function initialReplicas({ spec }: KeptDeployment, others: number): number {
  const wanted = spec?.replicas ?? 1
  if (spec?.strategy?.type === "Recreate") return wanted
  const { maxSurge } = resolveFenceposts(spec?.strategy?.rollingUpdate, wanted)
  return Math.max(0, Math.min(wanted, wanted + maxSurge - others))
}

function setAnnotations(deployment: KeptDeployment, revision: number, set?: KeptSet): Record<string, string> {
  const { annotations = {} } = deployment.metadata
  const wanted = deployment.spec?.replicas ?? 1
  const { maxSurge } = resolveFenceposts(deployment.spec?.strategy?.rollingUpdate, wanted)
  const before = set && revisionOf(set)
  const history = set?.metadata.annotations?.[HISTORY]
  return {
    ...Object.fromEntries(Object.entries(annotations).filter(([key]) => !OWN_ANNOTATIONS.has(key))),
    [REVISION]: String(revision),
    // revisions that it had before it was rolled back to
    ...(before !== undefined && before > 0 && before !== revision
      ? { [HISTORY]: history === undefined ? String(before) : `${history},${before}` }
      : {}),
    [DESIRED]: String(wanted),
    [MAX_REPLICAS]: String(wanted + (deployment.spec?.strategy?.type === "Recreate" ? 0 : maxSurge)),
  }
}

function scaleOf(set: KeptSet): SetScale {
  return {
    uid: set.metadata.uid,
    replicas: replicasOf(set),
    available: set.status?.availableReplicas ?? 0,
    existing: set.status?.replicas ?? 0,
  }
}

function desiredOf(sets: readonly KeptSet[]): number | undefined {
  const all = sets.flatMap(({ metadata, spec }) =>
    (spec?.replicas ?? 0) > 0 && metadata.annotations?.[DESIRED] !== undefined
      ? [Number(metadata.annotations[DESIRED])]
      : [],
  )
  return all[0]
}

/** Pure. */
export function deploymentStatus(
  { metadata, spec, status }: KeptDeployment,
  sets: readonly KeptSet[],
  now: number,
): DeploymentStatus {
  const sum = (of: (set: KeptSet) => number | undefined): number =>
    sets.reduce((total, set) => total + (of(set) ?? 0), 0)
  const current = newestSet({ spec, status }, sets)
  const wanted = spec?.replicas ?? 1
  const counts = {
    replicas: sum((set) => set.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum((set) => set.status?.readyReplicas),
    availableReplicas: sum((set) => set.status?.availableReplicas),
  }
  const unavailable = Math.max(0, sum(replicasOf) - counts.availableReplicas)
  const { maxUnavailable } = resolveFenceposts(spec?.strategy?.rollingUpdate, wanted)
  const least = spec?.strategy?.type === "Recreate" ? wanted : wanted - maxUnavailable
  const isAvailable = counts.availableReplicas >= least
  let conditions = withCondition(
    status?.conditions,
    isAvailable
      ? {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
    now,
    { updates: true },
  )
  conditions = withProgress({ metadata, spec, status } as KeptDeployment, { conditions, counts, current, now })
  const failure = conditionOf(current?.status?.conditions, "ReplicaFailure")
  conditions = failure
    ? withCondition(conditions, { ...failure, type: "ReplicaFailure" }, now, { updates: true })
    : withoutCondition(conditions, "ReplicaFailure")
  return {
    observedGeneration: metadata.generation,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...(unavailable > 0 && { unavailableReplicas: unavailable }),
    ...(conditions.length > 0 && { conditions }),
    ...(status?.collisionCount !== undefined && { collisionCount: status.collisionCount }),
  } as DeploymentStatus
}

type Conditions = NonNullable<DeploymentStatus["conditions"]>

interface Progress {
  conditions: Conditions
  counts: { replicas: number; updatedReplicas: number; readyReplicas: number; availableReplicas: number }
  current: KeptSet | undefined
  now: number
}

function withProgress(deployment: KeptDeployment, { conditions, counts, current, now }: Progress): Conditions {
  const { metadata, spec, status } = deployment
  const what = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${metadata.name}"`
  const wanted = spec?.replicas ?? 1
  const set = (state: string, reason: string, message: string): Conditions =>
    withCondition(conditions, { type: "Progressing", status: state, reason, message }, now, { updates: true })
  const before = conditionOf(conditions, "Progressing")
  if (spec?.paused) {
    if (before?.reason === "DeploymentPaused" || before?.reason === "ProgressDeadlineExceeded") return conditions
    return set("Unknown", "DeploymentPaused", "Deployment is paused")
  }
  const isComplete =
    current !== undefined &&
    counts.updatedReplicas === wanted &&
    counts.replicas === wanted &&
    counts.availableReplicas === wanted
  if (isComplete) return set("True", "NewReplicaSetAvailable", `${what} has successfully progressed.`)
  if (before?.reason === "DeploymentPaused") return set("Unknown", "DeploymentResumed", "Deployment is resumed")
  const isProgress =
    counts.updatedReplicas > (status?.updatedReplicas ?? 0) ||
    oldOf(counts) < oldOf(status) ||
    counts.readyReplicas > (status?.readyReplicas ?? 0) ||
    counts.availableReplicas > (status?.availableReplicas ?? 0)
  if (
    isProgress ||
    before === undefined ||
    (before.reason === "NewReplicaSetAvailable" && counts.updatedReplicas < wanted)
  ) {
    const rest = withoutCondition(conditions, "Progressing")
    const next = {
      type: "Progressing",
      status: "True",
      reason: before?.reason === "NewReplicaSetCreated" && !isProgress ? before.reason : "ReplicaSetUpdated",
      message: `${what} is progressing.`,
    }
    const made = withCondition(rest, next, now, { updates: true })
    return before?.status === "True"
      ? made.map((one) =>
          one.type === "Progressing" ? { ...one, lastTransitionTime: before.lastTransitionTime } : one,
        )
      : made
  }
  const deadline = spec?.progressDeadlineSeconds ?? DEFAULT_DEADLINE_S
  const since = timeOf(before.lastUpdateTime) ?? now
  if (before.status === "True" && before.reason !== "NewReplicaSetAvailable" && now > since + deadline * 1000)
    return set("False", "ProgressDeadlineExceeded", `${what} has timed out progressing.`)
  return conditions
}

function oldOf(of: { replicas?: number; updatedReplicas?: number } | undefined): number {
  return (of?.replicas ?? 0) - (of?.updatedReplicas ?? 0)
}
