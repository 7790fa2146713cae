import { isTree, listAt, type Tree } from "../../field.ts"

/** Sets what is not there. */
export function fill(tree: Tree, values: Tree): void {
  for (const [key, value] of Object.entries(values)) if (tree[key] === undefined) tree[key] = value
}

/** The mapping under a key, made where there is none. */
export function under(tree: Tree, key: string): Tree {
  const found = tree[key]
  if (isTree(found)) return found
  const made: Tree = {}
  tree[key] = made
  return made
}

/** The mapping under a key, where there is one. */
export function ifUnder(tree: Tree, key: string): Tree | undefined {
  const found = tree[key]
  return isTree(found) ? found : undefined
}

/** Mappings of a list. */
export function items(tree: Tree, key: string): Tree[] {
  return listAt(tree, key).filter(isTree)
}
