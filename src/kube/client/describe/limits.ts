import { at, isTree, listAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import type { KubeClient } from "../kube-client.ts"
import type { Lines } from "./lines.ts"

const LIMIT_HEAD = [
  ["Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio"],
  ["----", "--------", "---", "---", "---------------", "-------------", "-----------------------"],
]
const LIMIT_KEYS = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"]

/** What `describe resourcequota` says. */
export function describeQuota(lines: Lines, quota: Tree): void {
  lines.pair("Name", textAt(quota, "metadata", "name"))
  lines.pair("Namespace", textAt(quota, "metadata", "namespace"))
  lines.table([["Resource", "Used", "Hard"], ["--------", "----", "----"], ...quotaRows(quota)])
}

/** What `describe limitrange` says. */
export function describeLimits(lines: Lines, limits: Tree): void {
  lines.pair("Name", textAt(limits, "metadata", "name"))
  lines.pair("Namespace", textAt(limits, "metadata", "namespace"))
  lines.table([...LIMIT_HEAD, ...limitRows(limits)])
}

/** What `describe namespace` says: with what holds in it. */
export async function describeNamespace(lines: Lines, object: Tree, client: KubeClient): Promise<void> {
  const namespace = textAt(object, "metadata", "name")
  lines.pair("Name", namespace)
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  lines.pair("Status", textAt(object, "status", "phase"))
  lines.line("")
  const quotas = (await client.list(await client.kindNamed("resourcequotas"), { namespace })).items
  if (quotas.length === 0) lines.line("No resource quota.")
  else {
    lines.line("Resource Quotas")
    for (const quota of quotas)
      lines.table(
        [
          ["Name:", textAt(quota, "metadata", "name")],
          ["Resource", "Used", "Hard"],
          ["--------", "---", "---"],
          ...quotaRows(quota),
        ],
        1,
      )
  }
  lines.line("")
  const limits = (await client.list(await client.kindNamed("limitranges"), { namespace })).items
  if (limits.length === 0) return lines.line("No LimitRange resource.")
  lines.line("Resource Limits")
  lines.table([...LIMIT_HEAD, ...limits.flatMap(limitRows)], 1)
}

function quotaRows(quota: Tree): string[][] {
  return Object.entries(treeAt(quota, "status", "hard"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => [name, String(at(quota, "status", "used", name) ?? 0), String(hard)])
}

function limitRows(limits: Tree): string[][] {
  return listAt(limits, "spec", "limits")
    .filter(isTree)
    .flatMap((limit) => {
      const names = new Set(LIMIT_KEYS.flatMap((key) => Object.keys(treeAt(limit, key))))
      return [...names].map((name) => limitRow(limit, name))
    })
}

function limitRow(limit: Tree, resource: string): string[] {
  const amounts = LIMIT_KEYS.map((key) => String(at(limit, key, resource) ?? "-"))
  return [textAt(limit, "type"), resource, ...amounts]
}
