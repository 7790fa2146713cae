import { finding, type Rule } from "../rule.ts"
import { BINDING_CHECKS, KIND_CHECKS, ROLE_CHECKS } from "./kubernetes-roles.ts"
import { CONTAINER_CHECKS, CONTAINER_LISTS, POD_CHECKS, type KubeFault, type ObjectCheck } from "./kubernetes-rules.ts"
import type { Misconfiguration } from "../../scan.ts"
import type { YamlView } from "./yaml-view.ts"

/** Where the pod is in an object of each kind. */
const POD_PATHS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  Pod: ["spec"],
  PodTemplate: ["template", "spec"],
  Deployment: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  ReplicationController: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
}
const MAX_LIST = 1000
/** Of kinds that have no pod. */
const WHOLE_CHECKS: Readonly<Record<string, readonly ObjectCheck[]>> = {
  Role: ROLE_CHECKS,
  ClusterRole: ROLE_CHECKS,
  RoleBinding: BINDING_CHECKS,
  ClusterRoleBinding: BINDING_CHECKS,
  ...KIND_CHECKS,
}

/** Whether a document is an object of Kubernetes. */
export function isKubernetes(document: YamlView): boolean {
  return document.get("apiVersion")?.text !== undefined && document.get("kind")?.text !== undefined
}

/** The rules KSV on a workload, a role, or a List of them. `path`: absolute in the subject. */
export function checkKubernetes(object: YamlView, path: string): Misconfiguration[] {
  const kind = object.get("kind")?.text ?? ""
  if (kind === "List")
    return (object.get("items")?.items ?? []).slice(0, MAX_LIST).flatMap((one) => checkKubernetes(one, path))
  const name = `${kind} ${object.get("metadata", "name")?.text ?? ""}`.trim()
  const told = (rule: Rule, what: string, { message, at }: KubeFault) =>
    finding(rule, "kubernetes", `${what}: ${message}`, { path, startLine: at.line, endLine: at.line })
  const checks = Object.hasOwn(WHOLE_CHECKS, kind) ? WHOLE_CHECKS[kind] : undefined
  if (checks !== undefined)
    return checks.flatMap((rule) => rule.check(object, object).map((one) => told(rule, name, one)))
  const podPath = Object.hasOwn(POD_PATHS, kind) ? POD_PATHS[kind] : undefined
  const pod = podPath === undefined ? undefined : object.get(...podPath)
  if (pod === undefined) return []
  const containers = CONTAINER_LISTS.flatMap((key) => pod.get(key)?.items ?? [])
  return [
    ...POD_CHECKS.flatMap((rule) => rule.check(pod, object).map((one) => told(rule, name, one))),
    ...containers.flatMap((container) => {
      const own = container.get("name")?.text ?? ""
      return CONTAINER_CHECKS.flatMap((rule) =>
        rule.check({ name: own, container, pod, object }).map((one) => told(rule, `${name}, container ${own}`, one)),
      )
    }),
  ]
}
