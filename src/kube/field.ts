/** A mapping whose values nobody has looked at. */
export interface Tree {
  [key: string]: unknown
}

/** Whether it is a mapping: no list, no null. */
export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What stands at a path, by own properties alone: a key `__proto__` is a key like any other. Undefined where nothing does. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Tree)[key]
  }
  return found
}

/** A text; empty where there is none. */
export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path)
  return typeof found === "string" ? found : ""
}

/** A number; undefined where there is none. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path)
  return typeof found === "number" ? found : undefined
}

/** A list; empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}

/** A mapping; empty where there is none. */
export function treeAt(value: unknown, ...path: readonly (string | number)[]): Tree {
  const found = at(value, ...path)
  return isTree(found) ? found : {}
}

/** Sets a key as data, whatever its name. */
export function setKey(tree: Tree, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true })
  else tree[key] = value
}

/** The same object with `value` at `path`; undefined takes it away. What is on the way is copied, or made. */
export function withAt(object: unknown, path: readonly string[], value: unknown): Tree {
  const [key = "", ...rest] = path
  const copy: Tree = isTree(object) ? { ...object } : {}
  const next = rest.length === 0 ? value : withAt(at(copy, key), rest, value)
  if (next === undefined) delete copy[key]
  else setKey(copy, key, next)
  return copy
}

/** Texts of a mapping: labels, annotations, data. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, string>> {
  return treeAt(value, ...path) as Record<string, string>
}
