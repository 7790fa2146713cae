import { treeAt, type ResourceKind, type Tree } from "../../kube/kube.ts"
import { UsageError } from "../errors/usage-error.ts"

/** The template of an object's pods; the object itself, where it is a pod. */
export function templateOf(object: Tree): Tree {
  if (object["kind"] === "Pod") return object
  if (object["kind"] === "CronJob") return treeAt(object, "spec", "jobTemplate", "spec", "template")
  const template = treeAt(object, "spec", "template")
  if (Object.keys(template).length === 0) throw new UsageError(`${String(object["kind"])} has no pod template`)
  return template
}

/** A patch of it as a patch of the object. */
export function inTemplate(kind: ResourceKind, template: object): object {
  if (kind.plural === "pods") return template
  return kind.plural === "cronjobs" ? { spec: { jobTemplate: { spec: { template } } } } : { spec: { template } }
}
