/** Pod Security admission: what a namespace's labels allow pods to be (plugin PodSecurity). Pure but for what is read of the objects. */
import { textsAt, treeAt, type Tree } from "../../../field.ts"
import type { KubeObjects, StoredObject } from "../../../objects/objects.ts"
import { invalid, type Cause } from "../../status.ts"
import { forbidden } from "../forbidden.ts"
import { violationsOf, type CheckedPod, type Level, type Violation } from "./checks.ts"

const PREFIX = "pod-security.kubernetes.io/"
const LEVELS: readonly Level[] = ["privileged", "baseline", "restricted"]
const LATEST = "latest"
const VERSION = /^v1\.(\d{1,3})$/
/** Of pods that a namespace's new level is held against (kube-apiserver's own bound). */
const MOST_PODS = 3000

/** Where a pod's spec is in what makes pods. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  pods: [],
  podtemplates: ["template"],
  replicationcontrollers: ["spec", "template"],
  "replicasets.apps": ["spec", "template"],
  "deployments.apps": ["spec", "template"],
  "statefulsets.apps": ["spec", "template"],
  "daemonsets.apps": ["spec", "template"],
  "jobs.batch": ["spec", "template"],
  "cronjobs.batch": ["spec", "jobTemplate", "spec", "template"],
}

interface Policy {
  level: Level
  version: string
}

type Mode = "enforce" | "warn"

/** Of one mode; `warn` is what is enforced where nothing else is said, so that who writes a Deployment is told what its pods will be refused for. */
function policyOf(labels: Readonly<Record<string, string>>, mode: Mode): Policy {
  const said = labels[`${PREFIX}${mode}`]
  if (said === undefined)
    return mode === "warn" ? policyOf(labels, "enforce") : { level: "privileged", version: LATEST }
  // labels are looked at when they are written; one that came by another way is the strictest
  const level = LEVELS.find((one) => one === said) ?? "restricted"
  return { level, version: labels[`${PREFIX}${mode}-version`] ?? LATEST }
}

/** Throws PermissionDenied for a pod that its namespace's label `enforce` does not allow, whoever makes it. */
export function enforcePodSecurity(objects: Pick<KubeObjects, "find">, pod: StoredObject): void {
  const policy = policyOf(labelsOf(objects, pod.metadata.namespace), "enforce")
  const violations = evaluate(policy, { metadata: pod.metadata, spec: treeAt(pod, "spec") })
  if (violations.length > 0)
    throw forbidden(pod, `violates PodSecurity "${policy.level}:${policy.version}": ${told(violations)}`)
}

/** What is told to who writes a pod, or what makes pods, by the label `warn`; empty for all else. */
export function podSecurityWarnings(objects: Pick<KubeObjects, "find">, resource: string, object: Tree): string[] {
  const path = TEMPLATES[resource]
  if (path === undefined) return []
  const labels = labelsOf(objects, String(treeAt(object, "metadata")["namespace"] ?? "default"))
  const policy = policyOf(labels, "warn")
  const template = treeAt(object, ...path)
  const violations = evaluate(policy, { metadata: treeAt(template, "metadata"), spec: treeAt(template, "spec") })
  return violations.length === 0
    ? []
    : [`would violate PodSecurity "${policy.level}:${policy.version}": ${told(violations)}`]
}

/** Of a namespace whose level is another now: its pods that would not be allowed any more. They run on. */
export function namespaceWarnings(objects: Pick<KubeObjects, "list">, namespace: Tree, before: Tree): string[] {
  const [now, then] = [namespace, before].map((one) => policyOf(textsAt(one, "metadata", "labels"), "enforce"))
  if (now === undefined || now.level === "privileged" || JSON.stringify(now) === JSON.stringify(then)) return []
  const name = String(treeAt(namespace, "metadata")["name"])
  const pods = objects.list("pods", { namespace: name }).items
  const byReason = new Map<string, string[]>()
  for (const pod of pods.slice(0, MOST_PODS)) {
    const violations = evaluate(now, { metadata: pod.metadata, spec: treeAt(pod, "spec") })
    const reasons = violations.map(({ reason }) => reason).join(", ")
    if (reasons !== "") byReason.set(reasons, [...(byReason.get(reasons) ?? []), pod.metadata.name])
  }
  if (byReason.size === 0) return []
  const lines = [...byReason].map(([reasons, names]) => {
    const [first = "", ...others] = names.toSorted()
    const more = others.length === 0 ? "" : ` (and ${others.length} other ${others.length === 1 ? "pod" : "pods"})`
    return `${first}${more}: ${reasons}`
  })
  const title = `existing pods in namespace "${name}" violate the new PodSecurity enforce level "${now.level}:${now.version}"`
  return [title, ...lines.toSorted()]
}

/** Throws Invalid for labels of a namespace that name no level, or no version. */
export function checkNamespaceLabels(namespace: Tree): void {
  const causes: Cause[] = []
  for (const [key, value] of Object.entries(textsAt(namespace, "metadata", "labels"))) {
    if (!key.startsWith(PREFIX)) continue
    const [, mode, isVersion] = /^(enforce|audit|warn)(-version)?$/.exec(key.slice(PREFIX.length)) ?? []
    if (mode === undefined) continue
    const isRight = isVersion === undefined ? LEVELS.includes(value as Level) : value === LATEST || VERSION.test(value)
    if (isRight) continue
    const wanted = isVersion === undefined ? `must be one of ${LEVELS.join(", ")}` : 'must be "latest" or "v1.x"'
    causes.push({
      reason: "FieldValueInvalid",
      field: `metadata.labels[${key}]`,
      message: `Invalid value: ${JSON.stringify(value)}: ${wanted}`,
    })
  }
  if (causes.length > 0) throw invalid("Namespace", "", String(treeAt(namespace, "metadata")["name"] ?? ""), causes)
}

function labelsOf(objects: Pick<KubeObjects, "find">, namespace = "default"): Readonly<Record<string, string>> {
  return textsAt(objects.find("namespaces", namespace), "metadata", "labels")
}

function evaluate({ level, version }: Policy, pod: CheckedPod): Violation[] {
  if (level === "privileged") return []
  const minor = Number(VERSION.exec(version)?.[1] ?? Number.POSITIVE_INFINITY)
  return violationsOf(level, pod, minor)
}

function told(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => `${reason} (${detail})`).join(", ")
}
