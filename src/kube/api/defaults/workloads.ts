import { textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { fillPodSpec } from "./pod.ts"
import { fill, ifUnder, items, under } from "./fill.ts"

const MAX_INT32 = 2_147_483_647

function fillTemplate(spec: Tree): void {
  const template = ifUnder(spec, "template")
  if (!template) return
  const podSpec = ifUnder(template, "spec")
  if (podSpec) fillPodSpec(podSpec)
}

/** apps/v1 Deployment. */
export function fillDeployment(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  const strategy = under(spec, "strategy")
  fill(strategy, { type: "RollingUpdate" })
  if (strategy["type"] === "RollingUpdate")
    fill(under(strategy, "rollingUpdate"), { maxUnavailable: "25%", maxSurge: "25%" })
  fillTemplate(spec)
}

/** apps/v1 ReplicaSet. */
export function fillReplicaSet(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { replicas: 1 })
  fillTemplate(spec)
}

/** v1 ReplicationController: its selector and labels are the template's. */
export function fillReplicationController(object: Tree): void {
  fillReplicaSet(object)
  const labels = treeAt(object, "spec", "template", "metadata", "labels")
  if (Object.keys(labels).length === 0) return
  fill(under(object, "spec"), { selector: { ...labels } })
  fill(under(object, "metadata"), { labels: { ...labels } })
}

/** apps/v1 StatefulSet. */
export function fillStatefulSet(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { podManagementPolicy: "OrderedReady", replicas: 1, revisionHistoryLimit: 10 })
  const strategy = under(spec, "updateStrategy")
  fill(strategy, { type: "RollingUpdate" })
  if (strategy["type"] === "RollingUpdate") fill(under(strategy, "rollingUpdate"), { partition: 0 })
  fill(under(spec, "persistentVolumeClaimRetentionPolicy"), { whenDeleted: "Retain", whenScaled: "Retain" })
  for (const claim of items(spec, "volumeClaimTemplates")) {
    fill(claim, { apiVersion: "v1", kind: "PersistentVolumeClaim", status: { phase: "Pending" } })
    fillClaim(claim)
  }
  fillTemplate(spec)
}

/** apps/v1 DaemonSet. */
export function fillDaemonSet(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { revisionHistoryLimit: 10 })
  const strategy = under(spec, "updateStrategy")
  fill(strategy, { type: "RollingUpdate" })
  if (strategy["type"] === "RollingUpdate") fill(under(strategy, "rollingUpdate"), { maxUnavailable: 1, maxSurge: 0 })
  fillTemplate(spec)
}

/** batch/v1 Job. */
export function fillJob(object: Tree): void {
  const spec = under(object, "spec")
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) fill(spec, { completions: 1 })
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec["backoffLimitPerIndex"] === undefined ? 6 : MAX_INT32,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: spec["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed",
    manualSelector: undefined,
  })
  const labels = textsAt(spec, "template", "metadata", "labels")
  if (Object.keys(labels).length > 0) fill(under(object, "metadata"), { labels: { ...labels } })
  fillTemplate(spec)
}

/** Names its pods by its uid, which it has once it is kept (batch/v1, generateSelector). */
export function selectOwnPods(object: Tree): void {
  const spec = under(object, "spec")
  if (spec["manualSelector"] === true) return
  const uid = textAt(object, "metadata", "uid")
  const labels = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": textAt(object, "metadata", "name"),
    "controller-uid": uid,
    "job-name": textAt(object, "metadata", "name"),
  }
  Object.assign(under(under(under(spec, "template"), "metadata"), "labels"), labels)
  fill(under(under(spec, "selector"), "matchLabels"), { "batch.kubernetes.io/controller-uid": uid })
}

/** batch/v1 CronJob. */
export function fillCronJob(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
  const job = ifUnder(spec, "jobTemplate")
  const jobSpec = job && ifUnder(job, "spec")
  if (jobSpec) fillTemplate(jobSpec)
}

/** v1 PodTemplate. */
export function fillPodTemplate(object: Tree): void {
  fillTemplate(object)
}

/** v1 PersistentVolumeClaim, and those that a StatefulSet makes. */
export function fillClaim(object: Tree): void {
  fill(under(object, "spec"), { volumeMode: "Filesystem" })
  fill(object, { status: { phase: "Pending" } })
}

/** autoscaling/v2 HorizontalPodAutoscaler. */
export function fillAutoscaler(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, {
    minReplicas: 1,
    metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }],
  })
  const behavior = ifUnder(spec, "behavior")
  if (!behavior) return
  const rules = { selectPolicy: "Max" }
  fill(under(behavior, "scaleUp"), {
    ...rules,
    stabilizationWindowSeconds: 0,
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  })
  fill(under(behavior, "scaleDown"), { ...rules, policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] })
}
