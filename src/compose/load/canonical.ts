import { fault } from "./fault.ts"
import type { Key, LongForm } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { place } from "./copy-tree.ts"
import { longPorts } from "./port-text.ts"
import { showScalar } from "./go-scalar.ts"
import { isMap, originAt, originIn, setOrigin, type Origin, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { goType } from "./unique.ts"
import { longVolume } from "./volume-text.ts"
import { replaceAt, walk } from "./walk.ts"
import type { Warn } from "./warn.ts"

/** How `canonical()` goes about it. */
export interface CanonicalOptions {
  /** Texts may hold variables: one that cannot be read stays as it is. */
  skipInterpolation?: boolean
}

/** A short form, and where it stands. */
interface Short {
  value: Tree
  path: TreePath
  origin: Origin | undefined
  warn: Warn
  options: CanonicalOptions
}

/** Every short form made long, in place. Throws InvalidArgument. */
export function canonical(tree: TreeMap, warn: Warn, options: CanonicalOptions = {}): TreeMap {
  walk(tree, project, (at) => {
    const { key, value, path } = at
    if (key.long === undefined) return
    const long = lengthen({ value, path, origin: originAt(tree, path), warn, options }, key)
    if (long !== value) replaceAt(at, long)
  })
  return tree
}

function lengthen(short: Short, { long }: Key): Tree {
  return long === undefined ? short.value : LONG[long](short)
}

/** A text as one key of a map, which has the text's origin. */
function keyed(name: string, { value, origin }: Pick<Short, "value" | "origin">, more: TreeMap = {}): TreeMap {
  const map: TreeMap = { [name]: value, ...more }
  if (origin) setOrigin(map, name, origin)
  return map
}

const LONG: Record<LongForm, (short: Short) => Tree> = {
  build: (short) => (typeof short.value === "string" ? keyed("context", short) : short.value),
  mount: (short) => (typeof short.value === "string" ? keyed("source", short) : short.value),
  extends: (short) => (typeof short.value === "string" ? keyed("service", short) : short.value),
  include: (short) => (typeof short.value === "string" ? { path: [short.value] } : short.value),
  text: ({ value }) => (typeof value === "boolean" || typeof value === "number" ? showScalar(value) : value),
  texts: ({ value }) => (typeof value === "string" ? [value] : value),
  gpus: ({ value }) => (value === "all" ? [{ count: "all" }] : value),
  ulimit: ({ value }) => value,
  names: ({ value }) => namesAsMap(value, () => null),
  dependencies({ value }) {
    const map = namesAsMap(value, () => ({ condition: "service_started", required: true }))
    if (isMap(map)) for (const one of Object.values(map)) if (isMap(one)) one["required"] ??= true
    return map
  },
  envFiles,
  ssh: ({ value }) => pairsAsMap(value),
  pairs: ({ value }) => pairsAsMap(value),
  volume: lenient((short) =>
    typeof short.value === "string" ? withOrigin(longVolume(short.value, short.origin), short.origin) : short.value,
  ),
  device: lenient(longDevice),
  ports: lenient(longPortList),
  external,
}

/** Where texts may hold variables, what cannot be read stays. */
function lenient(make: (short: Short) => Tree): (short: Short) => Tree {
  return (short) => {
    try {
      return make(short)
    } catch (error) {
      if (short.options.skipInterpolation === true) return short.value
      throw error
    }
  }
}

function withOrigin(map: TreeMap, origin: Origin | undefined): TreeMap {
  if (origin) for (const key of Object.keys(map)) setOrigin(map, key, origin)
  return map
}

function namesAsMap(value: Tree, fill: () => Tree): Tree {
  if (!Array.isArray(value)) return value
  const map: TreeMap = {}
  for (const [index, name] of value.entries()) place(map, showScalar(name), fill(), value, index)
  return map
}

/** `k=v`; without `=` the value is null. */
function pairsAsMap(value: Tree): Tree {
  const list = typeof value === "string" ? [value] : value
  if (!Array.isArray(list)) return value
  const map: TreeMap = {}
  for (const [index, item] of list.entries()) {
    const text = showScalar(item)
    const at = text.indexOf("=")
    if (at < 0) place(map, text, null, list, index)
    else place(map, text.slice(0, at), text.slice(at + 1), list, index)
  }
  return map
}

function envFiles({ value }: Short): Tree {
  const list = typeof value === "string" ? [value] : value
  if (!Array.isArray(list)) return value
  return list.map((item, index) => {
    if (typeof item === "string")
      return keyed("path", { value: item, origin: originIn(list, index) }, { required: true })
    if (isMap(item)) item["required"] ??= true
    return item
  })
}

function longDevice({ value, origin }: Short): Tree {
  if (typeof value !== "string") return value
  const [source = "", target = "", permissions = "rwm", ...more] = value.split(":")
  if (more.length > 0) throw fault(`confusing device mapping, please use long syntax: ${value}`, origin)
  return withOrigin({ source, target: target || source, permissions }, origin)
}

function longPortList({ value, path }: Short): Tree {
  if (!Array.isArray(value)) return value
  return value.flatMap((item, index): Tree[] => {
    const origin = originIn(value, index)
    if (isMap(item)) return [item]
    if (typeof item === "number" && !Number.isInteger(item))
      throw fault(`${path.join(".")}: invalid type ${goType(item)} for port`, origin)
    return longPorts(showScalar(item), origin).map((port) => withOrigin(port, origin))
  })
}

function external({ value, path, origin, warn }: Short): Tree {
  if (!isMap(value) || !isMap(value["external"])) return value
  const { name } = value["external"]
  const shown = path.join(".")
  if (name !== undefined) {
    warn({
      message: `${shown}: external.name is deprecated. Please set name and external: true`,
      ...(origin && { origin }),
    })
    if (value["name"] !== undefined && value["name"] !== name)
      throw fault(`${shown}: name and external.name conflict; only use name`, originIn(value, "name"))
    value["name"] = name
  }
  value["external"] = true
  return value
}
