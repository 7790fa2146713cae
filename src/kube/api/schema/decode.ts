import { isTree, setKey, type Tree } from "../../field.ts"
import { badRequest } from "../status.ts"
import type { Definition, FieldType } from "./schema.ts"

/** An object as its kind has it. */
export interface Decoded {
  value: Tree
  /** Paths of fields that the kind does not have, as the API server words them: `unknown field "spec.replica"`. */
  faults: string[]
}

const MAX_DEPTH = 96
/** So many are told of. */
const MAX_FAULTS = 100

/** Go's words for what a field is of. */
const GO_TYPES: Readonly<Record<string, string>> = {
  string: "string",
  boolean: "bool",
  integer: "int32",
  number: "float64",
  bytes: "[]uint8",
}

const QUANTITY = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Reads `value` as `definition`: fields that it does not have are left out and told of, as is null. Throws BadRequest in the API server's words where a value is of
 * another type.
 */
export function decode(value: unknown, definition: Definition): Decoded {
  const reader = new Reader()
  return { value: reader.structure(value, definition, "", "", 0), faults: reader.faults }
}

class Reader {
  readonly faults: string[] = []

  /** `path`: with indexes, for people; `goPath`: without, as Go names it. */
  structure(value: unknown, definition: Definition, path: string, goPath: string, depth: number): Tree {
    const structName = definition.name.split(".").at(-1) ?? ""
    if (!isTree(value)) throw mismatch(value, structName, goPath, definition.name.replace(/^core\./, ""))
    if (depth > MAX_DEPTH) throw badRequest(`the object is nested more than ${MAX_DEPTH} levels deep`)
    const result: Tree = {}
    for (const [key, one] of Object.entries(value)) {
      const field = definition.fields.get(key)
      const below = path === "" ? key : `${path}.${key}`
      if (field === undefined) {
        if (definition.isOpen) setKey(result, key, this.#open(one, depth + 1))
        else if (this.faults.length < MAX_FAULTS) this.faults.push(`unknown field "${below}"`)
        continue
      }
      if (one === null) continue
      const goBelow = goPath === "" ? key : `${goPath}.${key}`
      setKey(result, key, this.#read(one, field.type, { path: below, goPath: goBelow, structName, depth: depth + 1 }))
    }
    return result
  }

  #read(value: unknown, type: FieldType, place: Place): unknown {
    switch (type.type) {
      case "object":
        return this.structure(value, type.definition(), place.path, place.goPath, place.depth)
      case "list": {
        if (!Array.isArray(value)) throw mismatch(value, place.structName, place.goPath, `[]${goType(type.of)}`)
        return value.map((item, index) =>
          item === null && type.of.type !== "object"
            ? item
            : this.#read(item ?? {}, type.of, { ...place, path: `${place.path}[${index}]`, depth: place.depth + 1 }),
        )
      }
      case "map": {
        if (!isTree(value)) throw mismatch(value, place.structName, place.goPath, `map[string]${goType(type.of)}`)
        const result: Tree = {}
        for (const [key, one] of Object.entries(value)) {
          if (one === null && type.of.type !== "string" && type.of.type !== "bytes") continue
          const below = { ...place, path: `${place.path}.${key}`, depth: place.depth + 1 }
          setKey(result, key, one === null ? "" : this.#read(one, type.of, below))
        }
        return result
      }
      case "any":
        return this.#open(value, place.depth)
      default:
        return scalar(value, type.type, place)
    }
  }

  #open(value: unknown, depth: number): unknown {
    if (depth > MAX_DEPTH) throw badRequest(`the object is nested more than ${MAX_DEPTH} levels deep`)
    if (Array.isArray(value)) return value.map((item) => this.#open(item, depth + 1))
    if (!isTree(value)) return value
    const result: Tree = {}
    for (const [key, one] of Object.entries(value)) setKey(result, key, this.#open(one, depth + 1))
    return result
  }
}

interface Place {
  path: string
  goPath: string
  structName: string
  depth: number
}

function scalar(value: unknown, type: FieldType["type"], { goPath, structName }: Place): unknown {
  switch (type) {
    case "string":
      if (typeof value === "string") return value
      break
    case "boolean":
      if (typeof value === "boolean") return value
      break
    case "integer":
      if (typeof value === "number" && Number.isSafeInteger(value)) return value
      break
    case "number":
      if (typeof value === "number") return value
      break
    case "intOrString":
      if (typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value))) return value
      throw badRequest(
        `json: cannot unmarshal ${goValue(value)} into Go struct field ${structName}.${goPath} of type string`,
      )
    case "quantity": {
      const text = typeof value === "number" ? String(value) : value
      if (typeof text === "string" && QUANTITY.test(text)) return text
      throw badRequest("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    }
    case "time":
    case "microTime":
      if (typeof value === "string" && !Number.isNaN(Date.parse(value))) return value
      throw badRequest(
        `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
      )
    case "bytes":
      if (typeof value === "string") {
        const plain = value.replaceAll(/[\r\n]/g, "")
        if (BASE64.test(plain)) return plain
        throw badRequest(`illegal base64 data at input byte ${firstBad(plain)}`)
      }
      break
    default:
  }
  throw mismatch(value, structName, goPath, GO_TYPES[type] ?? "string")
}

function firstBad(text: string): number {
  const found = text.search(/[^A-Za-z0-9+/]/)
  return found === -1 ? Math.floor(text.length / 4) * 4 : found
}

function mismatch(value: unknown, structName: string, goPath: string, type: string): Error {
  return badRequest(
    goPath === ""
      ? `json: cannot unmarshal ${goValue(value)} into Go value of type ${type}`
      : `json: cannot unmarshal ${goValue(value)} into Go struct field ${structName}.${goPath} of type ${type}`,
  )
}

function goType(type: FieldType): string {
  return type.type === "object" ? type.definition().name.replace(/^core\./, "") : (GO_TYPES[type.type] ?? "string")
}

function goValue(value: unknown): string {
  if (Array.isArray(value)) return "array"
  if (typeof value === "boolean") return "bool"
  if (typeof value === "number") return Number.isSafeInteger(value) ? "number" : `number ${value}`
  return value === null ? "null" : typeof value
}
