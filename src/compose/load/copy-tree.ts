import { copyOrigin, isMap, type Tree, type TreeMap } from "./tree.ts"

/** The same tree once more, with its origins: what is done to the one is not done to the other. */
export function copyTree<T extends Tree>(tree: T): T {
  // safe: a list gives a list, a map a map, and a scalar itself
  if (Array.isArray(tree)) {
    const list: Tree[] = []
    for (const [index, item] of tree.entries()) {
      list.push(copyTree(item))
      copyOrigin(tree, index, list, index)
    }
    return list as T
  }
  if (!isMap(tree)) return tree
  const map: TreeMap = {}
  for (const [key, value] of Object.entries(tree)) place(map, key, copyTree(value), tree)
  return map as T
}

/** `map[key] = value`, with the origin that `key` has in `from`. A key of any name is a plain one, `__proto__` too. */
export function place(
  map: TreeMap,
  key: string,
  value: Tree,
  from?: TreeMap | Tree[],
  fromKey: string | number = key,
): void {
  if (key === "__proto__")
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
  else map[key] = value
  if (from) copyOrigin(from, fromKey, map, key)
}
