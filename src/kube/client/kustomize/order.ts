import { textAt, type Tree } from "../../field.ts"

/** What others need comes before them (kustomize, legacy order). */
const FIRST = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ConfigMap",
  "Secret",
  "Endpoints",
  "Service",
  "LimitRange",
  "PriorityClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
]
const LAST = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]

/** Objects as kustomize prints and kubectl applies them: by kind, then by name. */
export function inOrder(objects: readonly Tree[]): Tree[] {
  return objects.toSorted((a, b) => rank(a) - rank(b) || (textOf(a) < textOf(b) ? -1 : 1))
}

function rank(object: Tree): number {
  const kind = textAt(object, "kind")
  const first = FIRST.indexOf(kind)
  return first >= 0 ? first - FIRST.length : LAST.indexOf(kind) + 1
}

function textOf(object: Tree): string {
  const { apiVersion, kind } = object
  return [apiVersion, kind, textAt(object, "metadata", "namespace"), textAt(object, "metadata", "name")].join("|")
}
