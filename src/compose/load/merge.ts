import { copyTree, place } from "./copy-tree.ts"
import { fault } from "./fault.ts"
import type { Key, MergeRule } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { service } from "./keys/service-keys.ts"
import { showScalar } from "./go-scalar.ts"
import { copyOrigin, isMap, originIn, showPath, type Origin, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { keyBelow } from "./walk.ts"

/** One model of two: `override` wins, by the specification's rules. Neither is changed. Throws InvalidArgument. */
export function mergeDocuments(base: TreeMap, override: TreeMap): TreeMap {
  return mergeMaps(base, override, project, [])
}

/** The same of two services, for `extends`. */
export function mergeServices(base: TreeMap, own: TreeMap): TreeMap {
  return mergeMaps(base, own, service, ["services", "x"])
}

/** Two values of one key, and where they stand. */
interface Pair {
  base: Tree
  over: Tree
  key: Key | undefined
  path: TreePath
  /** Of `over`. */
  origin: Origin | undefined
}

function mergeMaps(base: TreeMap, override: TreeMap, key: Key | undefined, path: TreePath): TreeMap {
  const merged = copyTree(base)
  for (const [name, over] of Object.entries(override)) {
    const below = key && keyBelow(key, name)
    const pair = {
      base: merged[name] ?? null,
      over,
      key: below,
      path: [...path, name],
      origin: originIn(override, name),
    }
    const value = Object.hasOwn(merged, name) ? mergeValues(pair) : copyTree(over)
    place(merged, name, value, override)
  }
  return merged
}

function mergeValues(pair: Pair): Tree {
  const { base, over, key, path } = pair
  const rule = key?.merge
  if (rule === "replace") return copyTree(over)
  if (base === null) return copyTree(over)
  if (over === null) return base
  if (rule !== undefined) return RULES[rule](pair)
  if (Array.isArray(base)) return Array.isArray(over) ? append(base, over) : clash(pair)
  if (isMap(base)) return isMap(over) ? mergeMaps(base, over, key, path) : clash(pair)
  return copyTree(over)
}

function clash({ path, origin }: Pair): never {
  const shown = path[0] === "services" && path[1] === "x" ? path : path
  throw fault(`cannot override ${showPath(shown)}`, origin)
}

const RULES: Record<Exclude<MergeRule, "replace">, (pair: Pair) => Tree> = {
  pairs: ({ base, over }) => append(asPairs(base), asPairs(over)),
  hosts({ base, over }) {
    const first = asPairs(base)
    const known = new Set(first)
    const more = asPairs(over)
    return append(
      first,
      more.filter((item) => !known.has(item)),
    )
  },
  names: (pair) => mergeAsMaps(pair, () => null),
  dependencies: (pair) => mergeAsMaps(pair, () => ({ condition: "service_started", required: true })),
  build(pair) {
    return mergeForms(pair, (value) => (typeof value === "string" ? { context: value } : value))
  },
  logging(pair) {
    const { base, over, key, path } = pair
    if (!isMap(base) || !isMap(over)) return clash(pair)
    const isSame = !Object.hasOwn(base, "driver") || !Object.hasOwn(over, "driver") || base["driver"] === over["driver"]
    return isSame ? mergeMaps(base, over, key, path) : copyTree(over)
  },
  ulimit({ base, over, key, path }) {
    return isMap(base) && isMap(over) ? mergeMaps(base, over, key, path) : copyTree(over)
  },
  subnets: (pair) => mergeSubnets(pair),
}

/** Both in their long form, then as maps. */
function mergeForms(pair: Pair, long: (value: Tree) => Tree): Tree {
  const base = long(pair.base)
  const over = long(pair.over)
  if (!isMap(base) || !isMap(over)) return clash(pair)
  return mergeMaps(base, over, pair.key, pair.path)
}

/** Lists of names are maps whose values are `fill`'s. */
function mergeAsMaps(pair: Pair, fill: () => Tree): Tree {
  return mergeForms(pair, (value) => {
    if (!Array.isArray(value)) return value
    const map: TreeMap = {}
    for (const [index, name] of value.entries()) place(map, showScalar(name), fill(), value, index)
    return map
  })
}

function append(base: readonly Tree[], over: readonly Tree[]): Tree[] {
  const all: Tree[] = []
  for (const list of [base, over])
    for (const [index, item] of list.entries()) {
      all.push(copyTree(item))
      copyOrigin(list as Tree[], index, all, all.length - 1)
    }
  return all
}

/** `k=v` for each of a map, in the order of the texts; one text is a list of one. */
function asPairs(value: Tree): Tree[] {
  if (Array.isArray(value)) return value
  if (typeof value === "string") return [value]
  if (!isMap(value)) return []
  const found: { text: string; name: string }[] = []
  for (const [name, one] of Object.entries(value)) {
    const values = Array.isArray(one) ? one : [one]
    for (const item of values) found.push({ text: item === null ? name : `${name}=${showScalar(item)}`, name })
  }
  const list: Tree[] = []
  for (const { text, name } of found.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))) {
    list.push(text)
    copyOrigin(value, name, list, list.length - 1)
  }
  return list
}

/** Two of one subnet become one; each other one stays. */
function mergeSubnets(pair: Pair): Tree {
  const { base, over, key, path } = pair
  if (!Array.isArray(base) || !Array.isArray(over)) return clash(pair)
  const found: TreeMap[] = []
  const indexOf = (subnet: Tree | undefined) => found.findIndex((one) => one["subnet"] === subnet)
  for (const first of base.filter(isMap))
    for (const second of over.filter(isMap)) {
      if (second["subnet"] !== first["subnet"] && indexOf(second["subnet"]) < 0) {
        found.push(copyTree(second))
        continue
      }
      const merged = mergeMaps(first, second, key?.items, path)
      const at = indexOf(merged["subnet"])
      if (at < 0) found.push(merged)
      else found[at] = merged
    }
  return found
}
