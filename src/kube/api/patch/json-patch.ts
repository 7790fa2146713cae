import { isDeepStrictEqual } from "node:util"
import { isTree, setKey, type Tree } from "../../field.ts"
import { badRequest, statusError } from "../status.ts"

const MAX_OPERATIONS = 10_000
/** Of all that one patch copies (CVE-2019-1002100): twenty copies of what was copied are a million times as much. */
const MAX_COPIED_BYTES = 3 * 1024 ** 2

/** RFC 6902. Gives a new object. Throws Invalid for what cannot be done. */
export function jsonPatch(object: Tree, patch: unknown): Tree {
  if (!Array.isArray(patch)) throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
  if (patch.length > MAX_OPERATIONS)
    throw statusError(
      "InvalidArgument",
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
      {
        reason: "RequestEntityTooLarge",
      },
    )
  let document: unknown = structuredClone(object)
  let copied = 0
  for (const operation of patch) {
    if (!isTree(operation)) throw badRequest("a JSON patch is a list of operations")
    if (operation["op"] === "copy") copied += sizeOf(read(document, pointer(operation["from"])))
    if (copied > MAX_COPIED_BYTES)
      throw statusError("InvalidArgument", `unable to copy more than ${MAX_COPIED_BYTES} bytes in a JSON patch`, {
        reason: "RequestEntityTooLarge",
      })
    document = applyOne(document, operation)
  }
  if (!isTree(document)) throw unprocessable("the patched document is no object")
  return document
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0
}

function unprocessable(why: string): Error {
  return statusError("InvalidArgument", `the server rejected our request due to an error in our request: ${why}`, {
    reason: "Invalid",
  })
}

function applyOne(document: unknown, { op, path, from, value }: Tree): unknown {
  const target = pointer(path)
  switch (op) {
    case "add":
      return put(document, target, structuredClone(value), false)
    case "replace":
      read(document, target)
      return put(document, target, structuredClone(value), true)
    case "remove":
      return remove(document, target)
    case "test":
      if (!isDeepStrictEqual(read(document, target), value))
        throw unprocessable(`testing value ${String(path)} failed: test failed`)
      return document
    case "copy":
      return put(document, target, structuredClone(read(document, pointer(from))), false)
    case "move": {
      const source = pointer(from)
      const moved = read(document, source)
      return put(remove(document, source), target, moved, false)
    }
    default:
      throw unprocessable(`Unexpected kind: ${String(op)}`)
  }
}

/** RFC 6901: `/metadata/annotations/a~1b`. */
export function pointer(text: unknown): string[] {
  if (typeof text !== "string" || (text !== "" && !text.startsWith("/")))
    throw badRequest(`"${String(text)}" is no JSON pointer`)
  return text === ""
    ? []
    : text
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
}

function read(document: unknown, path: readonly string[]): unknown {
  let found = document
  for (const key of path) {
    if (Array.isArray(found)) found = found[indexOf(key, found.length - 1)]
    else if (isTree(found) && Object.hasOwn(found, key)) found = found[key]
    else throw unprocessable(`path "/${path.join("/")}" does not exist`)
  }
  return found
}

function indexOf(key: string, last: number): number {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(key) ? Number(key) : -1
  if (index < 0 || index > last) throw unprocessable(`index "${key}" is out of bounds`)
  return index
}

function put(document: unknown, path: readonly string[], value: unknown, isThere: boolean): unknown {
  const key = path.at(-1)
  if (key === undefined) return value
  const parent = read(document, path.slice(0, -1))
  if (Array.isArray(parent)) {
    if (isThere) parent[indexOf(key, parent.length - 1)] = value
    else parent.splice(key === "-" ? parent.length : indexOf(key, parent.length), 0, value)
  } else if (isTree(parent)) setKey(parent, key, value)
  else throw unprocessable(`path "/${path.join("/")}" does not exist`)
  return document
}

function remove(document: unknown, path: readonly string[]): unknown {
  read(document, path)
  const key = path.at(-1)
  if (key === undefined) throw unprocessable("the whole document cannot be removed")
  const parent = read(document, path.slice(0, -1))
  if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length - 1), 1)
  else if (isTree(parent)) delete parent[key]
  return document
}

/** RFC 7386: null takes a key away. */
export function mergePatch(object: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch
  const result: Tree = isTree(object) ? { ...object } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else setKey(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value))
  }
  return result
}
