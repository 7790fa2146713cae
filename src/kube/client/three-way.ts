import { isDeepStrictEqual } from "node:util"
import { isTree, listAt, setKey, type Tree } from "../field.ts"
import type { Definition, Field, FieldType } from "../api/schema/schema.ts"

/** An object before, as it is wanted, and as it is. */
interface Three {
  /** What was applied last; what is in it and no longer wanted goes. */
  original: unknown
  modified: unknown
  current: unknown
}

/**
 * The strategic merge patch that makes `current` what `modified` says, and takes away what only `original` said. Undefined: nothing is
 * to be done. Pure.
 */
export function strategicDifference(three: Three, definition: Definition | undefined): Tree | undefined {
  const { original, modified, current } = three
  const [before, wanted, now] = [tree(original), tree(modified), tree(current)]
  const patch: Tree = {}
  for (const [key, value] of Object.entries(wanted)) {
    const field = definition?.fields.get(key)
    const existing = own(now, key)
    if (value === null) {
      if (existing !== undefined) setKey(patch, key, null)
    } else if (existing === undefined) {
      if (!isNothing(value)) setKey(patch, key, withoutNulls(value))
    } else differ(patch, key, { original: own(before, key), modified: value, current: existing }, field)
  }
  for (const key of Object.keys(before))
    if (!Object.hasOwn(wanted, key) && own(now, key) !== undefined) setKey(patch, key, null)
  return Object.keys(patch).length === 0 ? undefined : patch
}

/** An empty list or mapping that is not there is there already. */
function isNothing(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function own(tree2: Tree, key: string): unknown {
  return Object.hasOwn(tree2, key) ? tree2[key] : undefined
}

function tree(value: unknown): Tree {
  return isTree(value) ? value : {}
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isTree(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([key, one]) => [key, withoutNulls(one)]),
  )
}

function differ(patch: Tree, key: string, three: Three, field: Field | undefined): void {
  const { modified, current } = three
  const type = field?.type
  if (isTree(modified) && isTree(current)) {
    const below = strategicDifference(three, type?.type === "object" ? type.definition() : undefined)
    if (below === undefined) return
    if (field?.retainsKeys === true) below["$retainKeys"] = Object.keys(modified).toSorted()
    setKey(patch, key, below)
  } else if (Array.isArray(modified) && Array.isArray(current) && type?.type === "list" && type.merge.by !== "whole")
    differentList(patch, key, three, type)
  else if (!isDeepStrictEqual(modified, current)) setKey(patch, key, withoutNulls(modified))
}

function differentList(patch: Tree, key: string, three: Three, type: FieldType & { type: "list" }): void {
  const [original, modified, current] = [listAt(three, "original"), listAt(three, "modified"), listAt(three, "current")]
  if (type.merge.by === "value") {
    const added = modified.filter((one) => !current.includes(one))
    const gone = original.filter((one) => !modified.includes(one) && current.includes(one))
    if (added.length > 0) setKey(patch, key, added)
    if (gone.length > 0) patch[`$deleteFromPrimitiveList/${key}`] = gone
    return
  }
  const [mergeKey = ""] = type.merge.by === "keys" ? type.merge.keys : []
  const definition = type.of.type === "object" ? type.of.definition() : undefined
  const identity = (item: unknown): unknown => own(tree(item), mergeKey)
  const find = (list: readonly unknown[], id: unknown): unknown =>
    list.find((one) => isDeepStrictEqual(identity(one), id))
  const changes: unknown[] = []
  for (const item of modified) {
    const id = identity(item)
    const existing = find(current, id)
    if (existing === undefined) {
      changes.push(withoutNulls(item))
      continue
    }
    const below = strategicDifference({ original: find(original, id), modified: item, current: existing }, definition)
    if (below === undefined) continue
    changes.push({
      ...(type.of.type === "object" && key === "volumes" && { $retainKeys: Object.keys(tree(item)).toSorted() }),
      ...below,
      [mergeKey]: id,
    })
  }
  for (const item of original) {
    const id = identity(item)
    if (find(modified, id) === undefined && find(current, id) !== undefined)
      changes.push({ $patch: "delete", [mergeKey]: id })
  }
  const order = (list: readonly unknown[]): unknown[] =>
    list.map(identity).filter((id) => find(modified, id) !== undefined)
  if (changes.length === 0 && isDeepStrictEqual(order(current), modified.map(identity))) return
  patch[`$setElementOrder/${key}`] = modified.map((item) => ({ [mergeKey]: identity(item) }))
  if (changes.length > 0) setKey(patch, key, changes)
}

/** The same as a JSON merge patch, where the kind's schema is not known: lists are wholes. */
export function mergeDifference(three: Three): Tree | undefined {
  return strategicDifference(three, undefined)
}
