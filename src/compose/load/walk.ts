import type { Key } from "./keys.ts"
import { isMap, type Tree, type TreeMap, type TreePath } from "./tree.ts"

/** A value that a phase looks at: where it is, and what the table says of it. */
export interface Visit {
  key: Key
  value: Tree
  path: TreePath
  /** What holds it, to put another value there. */
  parent: Tree[] | TreeMap
}

/** What the table has for `name` in a map of `key`; undefined for `x-*` and what is not known. */
export function keyBelow(key: Key, name: string): Key | undefined {
  if (key.keys && Object.hasOwn(key.keys, name)) return key.keys[name]
  if (name.startsWith("x-") && key.isExtensible === true) return undefined
  return key.values
}

/** Calls `visit` for every value below `tree` that the table knows, what holds a value before the value itself. */
export function walk(tree: Tree, key: Key, visit: (at: Visit) => void, path: TreePath = []): void {
  if (Array.isArray(tree)) {
    const { items } = key
    if (items) for (const index of tree.keys()) step(tree, index, items, visit, path)
  } else if (isMap(tree)) {
    for (const name of Object.keys(tree)) {
      const below = keyBelow(key, name)
      if (below) step(tree, name, below, visit, path)
    }
  }
}

function step(
  parent: Tree[] | TreeMap,
  at: string | number,
  key: Key,
  visit: (at: Visit) => void,
  path: TreePath,
): void {
  const here = [...path, at]
  visit({ key, value: valueAt(parent, at), path: here, parent })
  walk(valueAt(parent, at), key, visit, here)
}

/** The value at `at`; null where there is none. */
export function valueAt(parent: Tree[] | TreeMap, at: string | number): Tree {
  return (parent as TreeMap)[at] ?? null
}

/** Puts another value in the place of the one at the end of `path`. */
export function replaceAt({ parent, path }: Visit, value: Tree): void {
  const at = path.at(-1) ?? ""
  ;(parent as TreeMap)[at] = value
}
