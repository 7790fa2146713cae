import { isTree, setKey, type Tree } from "../../field.ts"
import type { Definition, FieldType } from "../schema/schema.ts"
import { canonical } from "../validate/pod.ts"

/**
 * Sets of fields as managedFields has them (FieldsV1): a path is the text of its steps, `f:spec`, `k:{"name":"web"}`, `v:"a"`, each ended by
 * a NUL, so that a path's text begins with that of what it is in.
 */
export type FieldSet = Set<string>

const END = "\0"

/** A step more. */
export function step(path: string, text: string): string {
  return path + text + END
}

/** The steps of a path. */
export function stepsOf(path: string): string[] {
  return path.split(END).slice(0, -1)
}

/** What a key is that an item does not say. */
const KEY_DEFAULTS: Readonly<Record<string, string>> = { protocol: "TCP" }

/** `k:{"name":"web"}` of an item. */
export function itemKey(item: unknown, keys: readonly string[]): string {
  const values = isTree(item)
    ? keys.map((key) => [key, item[key] ?? KEY_DEFAULTS[key]]).filter(([, value]) => value !== undefined)
    : []
  return `k:${canonical(Object.fromEntries(values))}`
}

/** What stands nowhere in managedFields. */
const UNOWNED = new Set(
  [
    "apiVersion",
    "kind",
    "metadata",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.selfLink",
    "metadata.uid",
    "metadata.clusterName",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
  ].map((path) => path.split(".").reduce((all, name) => step(all, `f:${name}`), "")),
)

/** All fields that an object sets: its leaves, and the items of lists that are merged by key. */
export function fieldsOf(object: Tree, definition: Definition, withContainers = false): FieldSet {
  const found: FieldSet = new Set()
  structure(object, definition, "", { found, withContainers })
  for (const path of UNOWNED) found.delete(path)
  return found
}

interface Collect {
  found: FieldSet
  withContainers: boolean
}

function structure(object: Tree, definition: Definition | undefined, path: string, collect: Collect): void {
  for (const [key, value] of Object.entries(object)) {
    const below = step(path, `f:${key}`)
    if (UNOWNED.has(below) && key !== "metadata") continue
    fieldPaths(value, definition?.fields.get(key)?.type, below, collect)
  }
}

function fieldPaths(value: unknown, type: FieldType | undefined, path: string, collect: Collect): void {
  const { found, withContainers } = collect
  if (isTree(value)) {
    if (Object.keys(value).length === 0) found.add(path)
    else if (type?.type === "object") {
      const definition = type.definition()
      if (definition.isAtomic) found.add(path)
      else {
        if (withContainers) found.add(path)
        structure(value, definition, path, collect)
      }
    } else if (type?.type === "map") {
      if (type.isAtomic) found.add(path)
      else {
        if (withContainers) found.add(path)
        for (const [key, one] of Object.entries(value)) fieldPaths(one, type.of, step(path, `f:${key}`), collect)
      }
    } else {
      if (withContainers) found.add(path)
      structure(value, undefined, path, collect)
    }
  } else if (Array.isArray(value) && type?.type === "list" && type.merge.by === "keys") {
    if (withContainers || value.length === 0) found.add(path)
    for (const item of value) {
      const below = step(path, itemKey(item, type.merge.keys))
      found.add(below)
      if (isTree(item)) structure(item, type.of.type === "object" ? type.of.definition() : undefined, below, collect)
    }
  } else if (Array.isArray(value) && type?.type === "list" && type.merge.by === "value") {
    if (withContainers || value.length === 0) found.add(path)
    for (const item of value) found.add(step(path, `v:${JSON.stringify(item)}`))
  } else found.add(path)
}

/** FieldsV1 of a set. */
export function writeFields(paths: FieldSet): Tree {
  const root: Tree = {}
  for (const path of [...paths].toSorted()) {
    let node = root
    for (const one of stepsOf(path)) {
      if (!Object.hasOwn(node, one)) setKey(node, one, {})
      node = node[one] as Tree
    }
    setKey(node, ".", {})
  }
  return tidy(root)
}

/** A leaf says nothing of itself: `.` stands where there is more below. */
function tidy(node: Tree): Tree {
  const below = Object.entries(node).filter(([key]) => key !== ".")
  if (below.length === 0) return {}
  const result: Tree = Object.hasOwn(node, ".") ? { ".": {} } : {}
  for (const [key, value] of below) setKey(result, key, tidy(value as Tree))
  return result
}

const MAX_DEPTH = 100

/** The set of FieldsV1; what is none is an empty one. */
export function readFields(fields: unknown): FieldSet {
  const found: FieldSet = new Set()
  const walk = (node: Tree, path: string, depth: number): void => {
    for (const [key, value] of Object.entries(node)) {
      if (key === ".") found.add(path)
      else if (isTree(value) && depth < MAX_DEPTH) {
        if (Object.keys(value).length === 0) found.add(step(path, key))
        else walk(value, step(path, key), depth + 1)
      }
    }
  }
  if (isTree(fields)) walk(fields, "", 0)
  return found
}

/** As conflicts name it: `.spec.template.spec.containers[name="web"].image`. */
export function pathText(path: string): string {
  return stepsOf(path)
    .map((one) => {
      if (one.startsWith("f:")) return `.${one.slice(2)}`
      if (!one.startsWith("k:")) return `[=${one.slice(2)}]`
      const keys = JSON.parse(one.slice(2)) as Tree
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(",")}]`
    })
    .join("")
}
