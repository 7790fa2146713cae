import { listAt, textAt, treeAt, type Tree } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { fill, under } from "../defaults/fill.ts"
import { quantityText, quantityValue } from "../../quantity.ts"
import { forbidden, trees } from "./forbidden.ts"

/** Gives containers what the namespace's LimitRanges have as defaults, and refuses what they forbid (plugin LimitRanger). */
export function applyLimits(objects: KubeObjects, resource: string, object: StoredObject): void {
  const { namespace = "default" } = object.metadata
  const ranges = objects.list("limitranges", { namespace }).items
  if (ranges.length === 0) return
  const limits = ranges.flatMap((range) => trees(listAt(range, "spec", "limits")))
  if (resource === "persistentvolumeclaims") {
    const requests = treeAt(object, "spec", "resources", "requests")
    for (const limit of limits.filter(({ type }) => type === "PersistentVolumeClaim"))
      refuse(object, resource, check(limit, {}, requests))
    return
  }
  const spec = under(object, "spec")
  const containers = ["initContainers", "containers"].flatMap((key) => trees(listAt(spec, key)))
  for (const limit of limits.filter(({ type }) => type === "Container"))
    for (const container of containers) {
      const resources = under(container, "resources")
      if (limit["default"] !== undefined) fill(under(resources, "limits"), treeAt(limit, "default"))
      if (limit["defaultRequest"] !== undefined) fill(under(resources, "requests"), treeAt(limit, "defaultRequest"))
    }
  const faults = limits.flatMap((limit) => {
    if (limit["type"] === "Container")
      return containers.flatMap((one) =>
        check(limit, treeAt(one, "resources", "limits"), treeAt(one, "resources", "requests")),
      )
    if (limit["type"] !== "Pod") return []
    return check(limit, total(containers, "limits"), total(containers, "requests"))
  })
  refuse(object, resource, faults)
}

function refuse(object: StoredObject, resource: string, faults: readonly string[]): void {
  if (faults.length > 0)
    throw forbidden(object, faults.length === 1 ? (faults[0] ?? "") : `[${faults.join(", ")}]`, resource)
}

/** The sum over containers, by resource. */
function total(containers: readonly Tree[], kind: "limits" | "requests"): Tree {
  const sums: Record<string, { value: number; like: string }> = {}
  for (const container of containers)
    for (const [name, amount] of Object.entries(treeAt(container, "resources", kind))) {
      const text = String(amount)
      sums[name] = { value: (sums[name]?.value ?? 0) + quantityValue(text), like: text }
    }
  return Object.fromEntries(Object.entries(sums).map(([name, { value, like }]) => [name, quantityText(value, like)]))
}

function check(limit: Tree, limits: Tree, requests: Tree): string[] {
  const type = textAt(limit, "type")
  const faults: string[] = []
  for (const [name, least] of Object.entries(treeAt(limit, "min"))) {
    const [asked, most] = [requests[name], limits[name]]
    if (asked === undefined)
      faults.push(`minimum ${name} usage per ${type} is ${String(least)}.  No request is specified`)
    else if (quantityValue(String(asked)) < quantityValue(String(least)))
      faults.push(`minimum ${name} usage per ${type} is ${String(least)}, but request is ${String(asked)}`)
    if (most !== undefined && quantityValue(String(most)) < quantityValue(String(least)))
      faults.push(`minimum ${name} usage per ${type} is ${String(least)}, but limit is ${String(most)}`)
  }
  for (const [name, most] of Object.entries(treeAt(limit, "max"))) {
    const [asked, own] = [requests[name], limits[name]]
    const isClaim = type === "PersistentVolumeClaim"
    if (own === undefined && !isClaim)
      faults.push(`maximum ${name} usage per ${type} is ${String(most)}.  No limit is specified`)
    else if (own !== undefined && quantityValue(String(own)) > quantityValue(String(most)))
      faults.push(`maximum ${name} usage per ${type} is ${String(most)}, but limit is ${String(own)}`)
    if (asked !== undefined && quantityValue(String(asked)) > quantityValue(String(most)))
      faults.push(`maximum ${name} usage per ${type} is ${String(most)}, but request is ${String(asked)}`)
  }
  return faults
}
