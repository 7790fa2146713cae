import { at, listAt, textAt, treeAt, type Tree } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { podAmount } from "../../pod-amount.ts"
import { quantityText, quantityValue } from "../../quantity.ts"
import { forbidden, trees } from "./forbidden.ts"

/** Names of quotas for what is counted: older ones, beside `count/<resource>`. */
const COUNTED: Readonly<Record<string, string>> = {
  pods: "pods",
  services: "services",
  secrets: "secrets",
  configmaps: "configmaps",
  persistentvolumeclaims: "persistentvolumeclaims",
  replicationcontrollers: "replicationcontrollers",
  resourcequotas: "resourcequotas",
}

/** What an object uses of each name of a quota. */
export function usageOf(resource: string, object: Tree): Record<string, number> {
  const usage: Record<string, number> = { [`count/${resource}`]: 1 }
  const counted = COUNTED[resource]
  if (resource === "pods") {
    if (isEnded(object)) return {}
    const containers = trees(listAt(object, "spec", "containers"))
    const initContainers = trees(listAt(object, "spec", "initContainers"))
    for (const kind of ["requests", "limits"] as const) {
      const all = [...containers, ...initContainers].flatMap((one) => Object.keys(treeAt(one, "resources", kind)))
      for (const name of new Set(all)) {
        const amount = podAmount({ containers, initContainers }, (one) =>
          quantityValue(String(at(one, "resources", kind, name) ?? "0")),
        )
        usage[`${kind}.${name}`] = amount
        if (kind === "requests") usage[name] = amount
      }
    }
  }
  if (counted !== undefined) usage[counted] = 1
  if (resource === "persistentvolumeclaims") {
    const storage = quantityValue(String(at(object, "spec", "resources", "requests", "storage") ?? "0"))
    usage["requests.storage"] = storage
    const name = textAt(object, "spec", "storageClassName")
    if (name !== "") usage[`${name}.storageclass.storage.k8s.io/requests.storage`] = storage
  }
  if (resource === "services") {
    const type = textAt(object, "spec", "type")
    if (type === "NodePort" || type === "LoadBalancer")
      usage["services.nodeports"] = listAt(object, "spec", "ports").length
    if (type === "LoadBalancer") usage["services.loadbalancers"] = 1
  }
  return usage
}

function isEnded(pod: Tree): boolean {
  return ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase"))
}

/**
 * Refuses what exceeds a ResourceQuota of its namespace. What is used is counted anew each time: there is nothing to fall behind. `before`: what it replaces, of which
 * only what is more counts.
 */
export function checkQuotas(objects: KubeObjects, resource: string, object: StoredObject, before?: StoredObject): void {
  const { namespace } = object.metadata
  if (namespace === undefined) return
  const quotas = objects.list("resourcequotas", { namespace }).items
  if (quotas.length === 0) return
  const all = usageOf(resource, object)
  const had = before === undefined ? {} : usageOf(resource, before)
  const asked = Object.fromEntries(Object.entries(all).map(([name, amount]) => [name, amount - (had[name] ?? 0)]))
  for (const quota of quotas) {
    const hard = treeAt(quota, "spec", "hard")
    if (!fitsScopes(quota, object)) continue
    const names = Object.keys(hard)
    const missing =
      resource === "pods" && before === undefined
        ? names.filter((name) => /^(?:requests\.|limits\.)?(?:cpu|memory)$/.test(name) && asked[name] === undefined)
        : []
    if (missing.length > 0)
      throw forbidden(object, `failed quota: ${quota.metadata.name}: must specify ${missing.join(",")}`, resource)
    const touched = names.filter((name) => (asked[name] ?? 0) > 0)
    if (touched.length === 0) continue
    const used = usageIn(objects, namespace, resource)
    const over = touched.filter(
      (name) => (used[name] ?? 0) - (had[name] ?? 0) + (all[name] ?? 0) > quantityValue(String(hard[name])),
    )
    if (over.length === 0) continue
    const text = (values: Record<string, number>): string =>
      over.map((name) => `${name}=${quantityText(values[name] ?? 0, String(hard[name]))}`).join(",")
    const limited = over.map((name) => `${name}=${String(hard[name])}`).join(",")
    throw forbidden(
      object,
      `exceeded quota: ${quota.metadata.name}, requested: ${text(asked)}, used: ${text(used)}, limited: ${limited}`,
      resource,
    )
  }
}

function usageIn(objects: KubeObjects, namespace: string, resource: string): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const one of objects.list(resource, { namespace }).items)
    for (const [name, amount] of Object.entries(usageOf(resource, one))) sums[name] = (sums[name] ?? 0) + amount
  return sums
}

function fitsScopes(quota: StoredObject, object: StoredObject): boolean {
  return listAt(quota, "spec", "scopes").every((scope) => {
    const isTerminating = at(object, "spec", "activeDeadlineSeconds") !== undefined
    if (scope === "Terminating") return isTerminating
    if (scope === "NotTerminating") return !isTerminating
    const isBestEffort = textAt(object, "status", "qosClass") === "BestEffort"
    if (scope === "BestEffort") return isBestEffort
    return scope === "NotBestEffort" ? !isBestEffort : true
  })
}
