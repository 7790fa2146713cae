/**
 * The tree that the phases of loading hand on: plain values of YAML's core schema, and beside them where each stood in its file. A phase
 * that moves a value copies its origin with it, so that the last check can still name file, line and column.
 */
import type { SourceFile } from "../../dockerfile/dockerfile.ts"

/** A value of a file; bigint: a whole number that a double does not hold. Lists and mappings are never shared between two places of a tree. */
export type Tree = null | boolean | number | bigint | string | Date | Tree[] | TreeMap

export interface TreeMap {
  [key: string]: Tree
}

/** Keys and list indexes from the top: `["services", "web", "ports", 0]`. */
export type TreePath = readonly (string | number)[]

/** Where a value stood. */
export interface Origin {
  /** As messages name it: absolute, or `-`. */
  file: string
  /** Both from 1. */
  line: number
  column: number
  /** The file's text, for who quotes it. */
  source?: SourceFile
}

const origins = new WeakMap<object, Map<string | number, Origin>>()

/** Notes where the value of `key` in `container` stood. */
export function setOrigin(container: Tree[] | TreeMap, key: string | number, origin: Origin): void {
  const known = origins.get(container)
  if (known) known.set(key, origin)
  else origins.set(container, new Map([[key, origin]]))
}

/** Where it stood; undefined for a value that no file holds (a default, a short form's part). */
export function originIn(container: Tree[] | TreeMap, key: string | number): Origin | undefined {
  return origins.get(container)?.get(key)
}

/** Copies what is known of `fromKey` in `from` to `toKey` in `to`. */
export function copyOrigin(
  from: Tree[] | TreeMap,
  fromKey: string | number,
  to: Tree[] | TreeMap,
  toKey: string | number = fromKey,
): void {
  const origin = originIn(from, fromKey)
  if (origin) setOrigin(to, toKey, origin)
}

/** Where the value at `path` stood, or the nearest value around it of which that is known. */
export function originAt(root: Tree, path: TreePath): Origin | undefined {
  let found: Origin | undefined
  let at: Tree | undefined = root
  for (const key of path) {
    if (typeof at !== "object" || at === null || at instanceof Date) break
    found = originIn(at, key) ?? found
    at = (at as TreeMap)[key]
  }
  return found
}

export function isMap(value: Tree | undefined): value is TreeMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** `services.web.ports[0]`, as docker's messages write it. */
export function showPath(path: TreePath): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "")
}

/** A copy that shares no list and no mapping, with its origins. */
export function cloneTree<T extends Tree>(tree: T): T {
  if (Array.isArray(tree) || isMap(tree)) {
    const copy: Tree[] | TreeMap = Array.isArray(tree) ? [] : {}
    for (const [key, value] of Object.entries(tree)) {
      ;(copy as TreeMap)[key] = cloneTree(value as Tree)
      copyOrigin(tree, Array.isArray(tree) ? Number(key) : key, copy)
    }
    return copy as T
  }
  return tree
}
