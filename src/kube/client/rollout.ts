import { FailedPrecondition, InvalidArgument, NotFound, Unsupported } from "../../base/errors.ts"
import { canonical } from "../api/validate/pod.ts"
import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../field.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { KubeClient, PatchBody } from "./kube-client.ts"
import { podSelector } from "./attachable.ts"

const REVISION = "deployment.kubernetes.io/revision"
const CAUSE = "kubernetes.io/change-cause"
const RESTARTED = "kubectl.kubernetes.io/restartedAt"

/** How far a rollout is, in kubectl's words (polymorphichelpers, rollout_status). */
export interface RolloutState {
  text: string
  isDone: boolean
}

/** Of a Deployment, StatefulSet or DaemonSet. Throws FailedPrecondition for one that has failed, InvalidArgument for other kinds. */
export function rolloutState(object: Tree, revision: number): RolloutState {
  const kind = textAt(object, "kind")
  const name = textAt(object, "metadata", "name")
  if (kind === "Deployment") return deploymentState(object, name, revision)
  if (kind === "DaemonSet") return daemonSetState(object, name)
  if (kind === "StatefulSet") return statefulSetState(object)
  throw new InvalidArgument(`no status viewer has been implemented for ${kind}`)
}

function count(object: Tree, key: string): number {
  return numberAt(object, "status", key) ?? 0
}

function isObserved(object: Tree): boolean {
  return (numberAt(object, "metadata", "generation") ?? 0) <= count(object, "observedGeneration")
}

function deploymentState(object: Tree, name: string, revision: number): RolloutState {
  const own = Number(textsAt(object, "metadata", "annotations")[REVISION] ?? 0)
  if (revision > 0 && own !== revision)
    throw new FailedPrecondition(`desired revision (${revision}) is different from the running revision (${own})`)
  if (!isObserved(object)) return { text: "Waiting for deployment spec update to be observed...", isDone: false }
  const progress = listAt(object, "status", "conditions").find((one) => textAt(one, "type") === "Progressing")
  if (textAt(progress, "reason") === "ProgressDeadlineExceeded")
    throw new FailedPrecondition(`deployment "${name}" exceeded its progress deadline`)
  const wanted = numberAt(object, "spec", "replicas") ?? 1
  const [updated, all, available] = ["updatedReplicas", "replicas", "availableReplicas"].map((key) =>
    count(object, key),
  ) as [number, number, number]
  const waiting = (why: string): RolloutState => ({
    text: `Waiting for deployment "${name}" rollout to finish: ${why}...`,
    isDone: false,
  })
  if (updated < wanted) return waiting(`${updated} out of ${wanted} new replicas have been updated`)
  if (all > updated) return waiting(`${all - updated} old replicas are pending termination`)
  if (available < updated) return waiting(`${available} of ${updated} updated replicas are available`)
  return { text: `deployment "${name}" successfully rolled out`, isDone: true }
}

function daemonSetState(object: Tree, name: string): RolloutState {
  if (at(object, "spec", "updateStrategy", "type") !== "RollingUpdate")
    throw new InvalidArgument("rollout status is only available for RollingUpdate strategy type")
  if (!isObserved(object)) return { text: "Waiting for daemon set spec update to be observed...", isDone: false }
  const [wanted, updated, available] = ["desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"].map(
    (key) => count(object, key),
  ) as [number, number, number]
  const waiting = (why: string): RolloutState => ({
    text: `Waiting for daemon set "${name}" rollout to finish: ${why}...`,
    isDone: false,
  })
  if (updated < wanted) return waiting(`${updated} out of ${wanted} new pods have been updated`)
  if (available < wanted) return waiting(`${available} of ${wanted} updated pods are available`)
  return { text: `daemon set "${name}" successfully rolled out`, isDone: true }
}

function statefulSetState(object: Tree): RolloutState {
  if (at(object, "spec", "updateStrategy", "type") !== "RollingUpdate")
    throw new InvalidArgument("rollout status is only available for RollingUpdate strategy type")
  if (count(object, "observedGeneration") === 0 || !isObserved(object))
    return { text: "Waiting for statefulset spec update to be observed...", isDone: false }
  const wanted = numberAt(object, "spec", "replicas") ?? 1
  const ready = count(object, "readyReplicas")
  if (ready < wanted) return { text: `Waiting for ${wanted - ready} pods to be ready...`, isDone: false }
  const rolling = at(object, "spec", "updateStrategy", "rollingUpdate")
  if (rolling !== undefined) {
    // the server fills in a partition of 0
    const partition = numberAt(rolling, "partition") ?? 0
    const updated = count(object, "updatedReplicas")
    if (updated < wanted - partition)
      return {
        text: `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`,
        isDone: false,
      }
    return { text: `partitioned roll out complete: ${updated} new pods have been updated...`, isDone: true }
  }
  const [update, current] = [textAt(object, "status", "updateRevision"), textAt(object, "status", "currentRevision")]
  if (update !== current)
    return {
      text: `waiting for statefulset rolling update to complete ${count(object, "updatedReplicas")} pods at revision ${update}...`,
      isDone: false,
    }
  return {
    text: `statefulset rolling update complete ${count(object, "currentReplicas")} pods at revision ${current}...`,
    isDone: true,
  }
}

/** A template that an object has had. */
export interface Revision {
  number: number
  cause: string
  template: Tree
}

/** Templates of an object, the oldest first: of its ReplicaSets, or of its ControllerRevisions. */
export async function revisionsOf(client: KubeClient, kind: ResourceKind, object: Tree): Promise<Revision[]> {
  const namespace = textAt(object, "metadata", "namespace")
  const uid = textAt(object, "metadata", "uid")
  const isOwn = (one: Tree): boolean =>
    listAt(one, "metadata", "ownerReferences").some((owner) => textAt(owner, "uid") === uid)
  if (kind.plural === "deployments") {
    const { items } = await client.list(await client.kindNamed("replicasets.apps"), {
      namespace,
      labelSelector: podSelector(object),
    })
    return items
      .filter(isOwn)
      .map((set) => ({
        number: Number(textsAt(set, "metadata", "annotations")[REVISION] ?? 0),
        cause: causeOf(set),
        template: withoutHash(treeAt(set, "spec", "template")),
      }))
      .toSorted((a, b) => a.number - b.number)
  }
  if (kind.plural !== "daemonsets" && kind.plural !== "statefulsets")
    throw new InvalidArgument(`no history viewer has been implemented for "${kind.kind}"`)
  const { items } = await client.list(await client.kindNamed("controllerrevisions.apps"), { namespace })
  return items
    .filter(isOwn)
    .map((one) => ({
      number: numberAt(one, "revision") ?? 0,
      cause: causeOf(one),
      template: treeAt(one, "data", "spec", "template"),
    }))
    .toSorted((a, b) => a.number - b.number)
}

function causeOf(one: Tree): string {
  return textsAt(one, "metadata", "annotations")[CAUSE] ?? "<none>"
}

function withoutHash(template: Tree): Tree {
  const labels = { ...treeAt(template, "metadata", "labels") }
  delete labels["pod-template-hash"]
  return { ...template, metadata: { ...treeAt(template, "metadata"), labels } }
}

/** The patch that puts a template back; undefined: it is the one that is there. `to` 0: the one before. Throws NotFound. */
export async function undoPatch(
  client: KubeClient,
  kind: ResourceKind,
  object: Tree,
  to: number,
): Promise<PatchBody | undefined> {
  if (at(object, "spec", "paused") === true)
    throw new FailedPrecondition(`you cannot rollback a paused deployment; resume it first and try again`)
  const revisions = await revisionsOf(client, kind, object)
  const found = to === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === to)
  if (found === undefined)
    throw new NotFound(
      to === 0
        ? `no rollout history found for ${kind.singular} "${textAt(object, "metadata", "name")}"`
        : `unable to find specified revision ${to} in history`,
    )
  const template = { ...found.template }
  delete template["$patch"]
  if (canonical(template) === canonical(treeAt(object, "spec", "template"))) return undefined
  return { type: "json", body: [{ op: "replace", path: "/spec/template", value: template }] }
}

/** The patch that has all pods made anew. Throws for what makes none, or is paused. */
export function restartPatch(kind: ResourceKind, object: Tree): PatchBody {
  if (!["deployments", "statefulsets", "daemonsets"].includes(kind.plural))
    throw new Unsupported(`restarting is not supported for ${kind.kind}`)
  if (at(object, "spec", "paused") === true)
    throw new FailedPrecondition("can't restart paused deployment (run rollout resume first)")
  const annotations = { [RESTARTED]: new Date().toISOString().replace(/\.\d+Z$/, "Z") }
  return { type: "strategic", body: { spec: { template: { metadata: { annotations } } } } }
}

/** Whether an object is one that rolls out. */
export function isWorkload(object: unknown): boolean {
  return isTree(object) && ["Deployment", "StatefulSet", "DaemonSet"].includes(textAt(object, "kind"))
}
