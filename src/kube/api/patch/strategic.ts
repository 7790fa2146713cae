import { isDeepStrictEqual } from "node:util"
import { isTree, listAt, setKey, type Tree } from "../../field.ts"
import type { Definition, Field, FieldType } from "../schema/schema.ts"
import { badRequest } from "../status.ts"

const DIRECTIVE = "$patch"
const RETAIN = "$retainKeys"
const DELETE_FROM = "$deleteFromPrimitiveList/"
const ORDER = "$setElementOrder/"

/**
 * Strategic merge: lists are merged item by item where the schema says by which key, and `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`,
 * `$setElementOrder` say what else is to happen (apimachinery, util/strategicpatch). Gives a new object.
 */
export function strategicPatch(object: Tree, patch: unknown, definition: Definition): Tree {
  if (!isTree(patch)) throw badRequest("a strategic merge patch is an object")
  return merged(object, patch, definition)
}

function merged(object: Tree, patch: Tree, definition: Definition | undefined): Tree {
  const directive = patch[DIRECTIVE]
  if (directive === "replace") {
    const { [DIRECTIVE]: _, ...rest } = patch
    return rest
  }
  if (directive === "delete") return {}
  if (directive !== undefined && directive !== "merge")
    throw badRequest(`Unknown patch type found: ${String(directive)}`)
  const result: Tree = { ...object }
  if (patch[RETAIN] !== undefined) {
    const kept = new Set(listAt(patch, RETAIN))
    for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key]
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN || key.startsWith(ORDER)) continue
    if (key.startsWith(DELETE_FROM)) {
      const field = key.slice(DELETE_FROM.length)
      const gone = Array.isArray(value) ? value : []
      result[field] = listAt(result, field).filter((one) => !gone.includes(one))
      continue
    }
    if (value === null) {
      delete result[key]
      continue
    }
    setKey(
      result,
      key,
      mergedValue(Object.hasOwn(result, key) ? result[key] : undefined, value, definition?.fields.get(key)),
    )
  }
  for (const [key, order] of Object.entries(patch))
    if (key.startsWith(ORDER)) {
      const field = key.slice(ORDER.length)
      const list = result[field]
      const type = definition?.fields.get(field)?.type
      if (Array.isArray(list) && Array.isArray(order)) result[field] = ordered(list, order, type)
    }
  return result
}

function mergedValue(value: unknown, patch: unknown, field: Field | undefined): unknown {
  const type = field?.type
  if (isTree(patch)) {
    const definition = type?.type === "object" ? type.definition() : undefined
    return merged(isTree(value) ? value : {}, patch, definition)
  }
  if (!Array.isArray(patch) || type?.type !== "list") return patch
  return mergedList(Array.isArray(value) ? value : [], patch, type)
}

function mergedList(
  list: readonly unknown[],
  patch: readonly unknown[],
  type: FieldType & { type: "list" },
): unknown[] {
  const { merge, of } = type
  if (merge.by === "whole") return patch.filter((one) => !isTree(one) || one[DIRECTIVE] === undefined)
  if (merge.by === "value") return [...list, ...patch.filter((one) => !list.includes(one))]
  const [key = ""] = merge.keys
  const definition = of.type === "object" ? of.definition() : undefined
  const replaces = patch.some((one) => isTree(one) && one[DIRECTIVE] === "replace" && one[key] === undefined)
  const result: unknown[] = replaces ? [] : [...list]
  for (const item of patch) {
    if (!isTree(item)) throw badRequest("a list that is merged by a key holds objects alone")
    if (item[DIRECTIVE] === "replace" && item[key] === undefined) continue
    if (item[key] === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const index = result.findIndex((one) => isTree(one) && isDeepStrictEqual(one[key], item[key]))
    if (item[DIRECTIVE] === "delete") {
      if (index !== -1) result.splice(index, 1)
    } else if (index === -1) result.push(merged({}, item, definition))
    else {
      const current = result[index]
      result[index] = merged(isTree(current) ? current : {}, item, definition)
    }
  }
  return result
}

/** What the order names comes in that order; what it does not name stays near where it was, behind. */
function ordered(list: readonly unknown[], order: readonly unknown[], type: FieldType | undefined): unknown[] {
  const key = type?.type === "list" && type.merge.by === "keys" ? type.merge.keys[0] : undefined
  const identity = (item: unknown): unknown => (key !== undefined && isTree(item) ? item[key] : item)
  const ranks = new Map(order.map((item, index) => [identity(item), index]))
  const named = list
    .filter((item) => ranks.has(identity(item)))
    .toSorted((a, b) => (ranks.get(identity(a)) ?? 0) - (ranks.get(identity(b)) ?? 0))
  const rest = list.filter((item) => !ranks.has(identity(item)))
  return [...named, ...rest]
}
