import { at, isTree, textAt, type Tree } from "../../field.ts"
import type { ResourceKind } from "../../objects/kinds.ts"
import { resourceKey } from "../../objects/kinds.ts"
import type { KubeClient } from "../kube-client.ts"
import { Lines } from "./lines.ts"

/** What `describe` says of an object: its own words for kinds that have them, all fields for the others; and its events. */
export async function describe(
  client: KubeClient,
  kind: ResourceKind,
  object: Tree,
  showEvents: boolean,
): Promise<string> {
  const lines = new Lines()
  const { describers, WITHOUT_EVENTS } = await import("./describers.ts")
  const own = describers[resourceKey(kind)]
  if (own) await own(lines, object, client)
  else generic(lines, object)
  if (showEvents && !WITHOUT_EVENTS.has(kind.plural)) await events(lines, client, object)
  return lines.text()
}

/** Every field, its name in words. */
function generic(lines: Lines, object: Tree): void {
  lines.name(object)
  const { metadata, ...rest } = object
  const shown = isTree(metadata)
    ? { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !HIDDEN.has(key))) }
    : rest
  lines.pair("API Version", textAt(object, "apiVersion"))
  lines.pair("Kind", textAt(object, "kind"))
  for (const [key, value] of Object.entries(shown).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    if (key !== "apiVersion" && key !== "kind") lines.value(words(key), value)
}

const HIDDEN = new Set(["name", "namespace", "labels", "annotations", "managedFields"])

/** `podIPs` → `Pod I Ps`, as kubectl has it; `apiVersion` → `API Version`. */
function words(key: string): string {
  return key.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replace(/^./, (letter) => letter.toUpperCase())
}

async function events(lines: Lines, client: KubeClient, object: Tree): Promise<void> {
  const kind = await client.kindNamed("events").catch(() => undefined)
  if (kind === undefined) return
  const uid = textAt(object, "metadata", "uid")
  const namespace = textAt(object, "metadata", "namespace") || undefined
  const { items } = await client.list(kind, {
    ...(namespace !== undefined && { namespace }),
    fieldSelector: `involvedObject.uid=${uid}`,
  })
  const { eventTable } = await import("./event-table.ts")
  lines.section("Events", eventTable(items.filter((one) => at(one, "involvedObject", "uid") === uid)))
}
