import { fault } from "./fault.ts"
import type { SameRule } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { showScalar } from "./go-scalar.ts"
import { copyOrigin, isMap, originIn, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { parseShortVolume } from "./volume-text.ts"
import { replaceAt, walk } from "./walk.ts"

/** Leaves one item of those in a list that mean the same: the last, in the place of the first. In place. Throws InvalidArgument. */
export function enforceUnique(tree: TreeMap): TreeMap {
  walk(tree, project, (at) => {
    if (at.key.same !== undefined && Array.isArray(at.value)) replaceAt(at, uniqueItems(at.value, at.key.same, at.path))
  })
  return tree
}

function uniqueItems(list: Tree[], rule: SameRule, path: TreePath): Tree[] {
  const kept: Tree[] = []
  const places = new Map<string, number>()
  for (const [index, item] of list.entries()) {
    const name = NAMES[rule](item)
    if (name === undefined) throw unnamed(list, index, rule, path)
    const at = places.get(name) ?? kept.length
    kept[at] = item
    places.set(name, at)
    copyOrigin(list, index, kept, at)
  }
  return kept
}

function unnamed(list: Tree[], index: number, rule: SameRule, path: TreePath): Error {
  const shown = `${path.join(".")}.[${index}]`
  const origin = originIn(list, index)
  if (rule === "target") return fault(`service volume ${shown} is missing a mount target`, origin)
  if (rule === "port") return fault(`service ports ${shown} is missing a target port`, origin)
  if (rule === "device") return fault(`service device ${shown} is missing a mount target`, origin)
  if (rule === "envFile") return fault(`environment path attribute ${shown} is missing`, origin)
  return fault(`${shown}: unexpected type ${goType(list[index] ?? null)}`, origin)
}

/** What an item is known by; undefined where nothing tells. */
const NAMES: Record<SameRule, (item: Tree) => string | undefined> = {
  name: (item) => (typeof item === "string" ? beforeEquals(item) : undefined),
  text: (item) =>
    typeof item === "string" || typeof item === "number" || typeof item === "bigint" ? showScalar(item) : undefined,
  target(item) {
    if (typeof item === "string") return parseShortVolume(item).target
    return isMap(item) && typeof item["target"] === "string" ? item["target"] : isMap(item) ? undefined : ""
  },
  device(item) {
    if (typeof item === "string") {
      const [source = "", target = source] = item.split(":")
      return target
    }
    if (!isMap(item)) return ""
    return typeof item["target"] === "string" ? item["target"] : undefined
  },
  port: portName,
  secret: (item) => fileName(item, "/run/secrets"),
  config: (item) => fileName(item, ""),
  envFile(item) {
    if (typeof item === "string") return item
    return isMap(item) && typeof item["path"] === "string" ? item["path"] : undefined
  },
}

function beforeEquals(item: string): string {
  const at = item.indexOf("=")
  return at < 0 ? item : item.slice(0, at)
}

function portName(item: Tree): string | undefined {
  if (typeof item === "string") return item
  if (typeof item === "number") return showScalar(item)
  if (!isMap(item)) return ""
  const { host_ip: host = "0.0.0.0", published = "", target, protocol = "tcp" } = item
  if (typeof target !== "number") return undefined
  // as docker: a port that stands as a number is not the same as one that stands as a text
  const shown = typeof published === "number" ? `int=${published}` : showScalar(published)
  return `${showScalar(host)}:${shown}:${target}/${showScalar(protocol)}`
}

function fileName(item: Tree, directory: string): string | undefined {
  if (typeof item === "string") return `${directory}/${item}`
  if (!isMap(item)) return undefined
  const { target, source = null } = item
  return typeof target === "string" ? target : `${directory}/${showScalar(source)}`
}

/** What Go calls the type of a value. */
export function goType(value: Tree): string {
  if (value === null) return "<nil>"
  if (Array.isArray(value)) return "[]interface {}"
  if (value instanceof Date) return "time.Time"
  if (typeof value === "object") return "map[string]interface {}"
  if (typeof value === "bigint") return "int"
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64"
  return typeof value === "boolean" ? "bool" : "string"
}
