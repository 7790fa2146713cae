import type { DaemonSet, DaemonSetStatus } from "kubernetes-types/apps/v1"
import type { Node, Pod, PodSpec } from "kubernetes-types/core/v1"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import type { Kept } from "./kept.ts"
import { adopterKeys, claim, ownerKeys } from "./owners.ts"
import { createPod, deletePod, type ControllerDeps } from "./pod-control.ts"
import { availableIn, isFinished, isReady, isTerminating, type KeptPod } from "./pod-state.ts"
import { nextAvailable } from "./replica-sets.ts"
import { keepRevision } from "./revisions.ts"
import { nodeRefusal } from "./placement.ts"
import { selects } from "./selector.ts"
import { REVISION_HASH } from "./template-hash.ts"

const RESOURCE = "daemonsets.apps"
const COMPONENT = "daemonset-controller"

type KeptSet = Kept<DaemonSet>

/** A pod of a node's daemon stays where others must leave (kubernetes: daemonset_util.go, AddOrUpdateDaemonPodTolerations). */
const TOLERATIONS = [
  ["not-ready", "NoExecute"],
  ["unreachable", "NoExecute"],
  ["disk-pressure", "NoSchedule"],
  ["memory-pressure", "NoSchedule"],
  ["pid-pressure", "NoSchedule"],
  ["unschedulable", "NoSchedule"],
].map(([key, effect]) => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect }))

/** What is missing of a set on the node, and what is too much. */
export interface DaemonPlan {
  create: boolean
  delete: KeptPod[]
}

/** What the one node is to have of a set. Pure. */
export function planDaemon(
  pods: readonly KeptPod[],
  { isWanted, revision, isRolling }: { isWanted: boolean; revision: string; isRolling: boolean },
): DaemonPlan {
  const live = pods.filter((pod) => !isTerminating(pod))
  if (!isWanted) return { create: false, delete: [...live] }
  const [keep, ...more] = live
    .filter((pod) => !isFinished(pod))
    .toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
  const ended = live.filter(isFinished)
  if (keep === undefined) return { create: pods.every(isFinished) && ended.length === 0, delete: ended }
  const isOld = keep.metadata.labels?.[REVISION_HASH] !== revision
  return { create: false, delete: [...ended, ...more, ...(isOld && isRolling ? [keep] : [])] }
}

/** Keeps one pod of each set on the node. */
export function daemonSetController(deps: ControllerDeps, nodeName: string): Controller {
  const { cluster } = deps
  return {
    name: COMPONENT,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === RESOURCE) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource === "nodes")
        for (const one of cluster.list<DaemonSet>(RESOURCE)) yield keyOf(one.metadata.namespace, one.metadata.name)
      if (change.resource !== "pods") return
      yield* ownerKeys(change, "DaemonSet")
      yield* adopterKeys<DaemonSet>(cluster, RESOURCE, change, ({ spec }) => selects(spec?.selector, metadata.labels))
    },
    reconcile(key) {
      const set = cluster.byKey<DaemonSet>(RESOURCE, key)
      if (set === undefined) return undefined
      const { spec } = set
      const pods = claim<Pod>(cluster, "pods", set, ({ metadata }) => selects(spec?.selector, metadata.labels))
      const used = (name: string): boolean => pods.some(({ metadata }) => metadata.labels?.[REVISION_HASH] === name)
      const { name: revision } = keepRevision(cluster, set, spec?.template, spec?.revisionHistoryLimit ?? 10, used)
      const node = cluster.find<Node>("nodes", nodeName)
      const isWanted = node !== undefined && isMeant(spec?.template.spec, node)
      if (set.metadata.deletionTimestamp === undefined) {
        const plan = planDaemon(pods, { isWanted, revision, isRolling: spec?.updateStrategy?.type !== "OnDelete" })
        for (const pod of plan.delete) deletePod(deps, set, pod, COMPONENT)
        if (plan.create && spec)
          createPod(deps, set, {
            template: spec.template,
            labels: { [REVISION_HASH]: revision },
            spec: { tolerations: [...(spec.template.spec?.tolerations ?? []), ...TOLERATIONS] },
            component: COMPONENT,
          })
      }
      const now = deps.now()
      const left = cluster.ownedBy<Pod>(set.metadata.uid, "pods")
      cluster.patchStatus<DaemonSet>(RESOURCE, set, () => daemonStatus(set, left, { isWanted, revision, now }))
      return nextAvailable(pods, spec?.minReadySeconds ?? 0, now)
    },
  }
}

/** By its labels and taints; where there is no room its pod waits. */
function isMeant(spec: PodSpec | undefined, node: Kept<Node>): boolean {
  const tolerations = [...(spec?.tolerations ?? []), ...TOLERATIONS]
  return nodeRefusal({ containers: [], ...spec, tolerations }, node) === undefined
}

/** Pure. */
export function daemonStatus(
  { metadata, spec, status }: KeptSet,
  pods: readonly KeptPod[],
  { isWanted, revision, now }: { isWanted: boolean; revision: string; now: number },
): DaemonSetStatus {
  const live = pods.filter((pod) => !isTerminating(pod) && !isFinished(pod))
  const available = live.some((pod) => availableIn(pod, spec?.minReadySeconds ?? 0, now) === 0)
  return {
    currentNumberScheduled: Number(isWanted && live.length > 0),
    desiredNumberScheduled: Number(isWanted),
    numberAvailable: Number(isWanted && available),
    numberMisscheduled: Number(!isWanted && live.length > 0),
    numberReady: Number(isWanted && live.some(isReady)),
    ...(isWanted && !available && { numberUnavailable: 1 }),
    updatedNumberScheduled: Number(live.some((pod) => pod.metadata.labels?.[REVISION_HASH] === revision)),
    observedGeneration: metadata.generation,
    ...(status?.collisionCount !== undefined && { collisionCount: status.collisionCount }),
  }
}
