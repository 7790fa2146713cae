import { isTree, listAt, textAt, treeAt, at, type Tree } from "../../field.ts"
import { FIELDS } from "./fields.ts"

/** What may stand in a field. */
export type FieldType =
  | { type: "string"; values?: readonly string[] }
  | { type: "boolean" | "integer" | "number" | "time" | "microTime" | "quantity" | "intOrString" | "bytes" | "any" }
  | { type: "object"; definition: () => Definition }
  | { type: "list"; of: FieldType; merge: ListMerge }
  | { type: "map"; of: FieldType; isAtomic: boolean }

/** How two lists become one: as a whole, as sets of values, or item by item by `keys`. */
export type ListMerge = { by: "whole" } | { by: "value" } | { by: "keys"; keys: readonly string[] }

/** One field of a structure. */
export interface Field {
  type: FieldType
  isRequired: boolean
  /** A patch names what of it stays (`$retainKeys`). */
  retainsKeys: boolean
}

/** A structure: its fields by name. */
export interface Definition {
  /** `apps.v1.DeploymentSpec`. */
  name: string
  /** Owned and merged as one value. */
  isAtomic: boolean
  fields: ReadonlyMap<string, Field>
  /** Anything may stand beside the fields. */
  isOpen: boolean
}

const SCALARS = {
  s: "string",
  b: "boolean",
  i: "integer",
  t: "time",
  u: "microTime",
  q: "quantity",
  x: "intOrString",
  y: "bytes",
  o: "any",
} as const

let lines: Map<string, string> | undefined
const parsed = new Map<string, Definition>()

function lineOf(name: string): string | undefined {
  lines ??= new Map(
    FIELDS.trim()
      .split("\n")
      .map((line) => {
        const space = line.indexOf(" ")
        return space === -1 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)]
      }),
  )
  return lines.get(name)
}

/** All names, in order. */
export function definitionNames(): string[] {
  lineOf("")
  return [...(lines?.keys() ?? [])]
}

/** By its short name, `core.v1.PodSpec`. Undefined where there is none. */
export function findDefinition(name: string): Definition | undefined {
  const known = parsed.get(name)
  if (known) return known
  const line = lineOf(name)
  if (line === undefined) return undefined
  const isAtomic = line.startsWith("~")
  const fields = new Map<string, Field>()
  for (const word of (isAtomic ? line.slice(1) : line).split(" ")) {
    const colon = word.indexOf(":")
    if (colon === -1) continue
    const title = word.slice(0, colon)
    const isRequired = title.endsWith("!")
    const retainsKeys = word.endsWith("^")
    const code = word.slice(colon + 1, retainsKeys ? -1 : undefined)
    fields.set(isRequired ? title.slice(0, -1) : title, { type: parseType(code), isRequired, retainsKeys })
  }
  const definition: Definition = { name, isAtomic, fields, isOpen: false }
  parsed.set(name, definition)
  return definition
}

function parseType(code: string): FieldType {
  const merged = /<([^>]*)>$/.exec(code)
  const plain = merged ? code.slice(0, -merged[0].length) : code
  if (plain.startsWith("[]")) return { type: "list", of: parseType(plain.slice(2)), merge: mergeOf(merged?.[1]) }
  if (plain.startsWith("{}")) return { type: "map", of: parseType(plain.slice(2)), isAtomic: merged?.[1] === "~" }
  if (plain.startsWith("@")) {
    const name = plain.slice(1)
    return { type: "object", definition: () => findDefinition(name) ?? openDefinition(name) }
  }
  if (plain.startsWith("s(")) return { type: "string", values: plain.slice(2, -1).split("|") }
  return { type: SCALARS[plain as keyof typeof SCALARS] ?? "any" }
}

function mergeOf(words: string | undefined): ListMerge {
  if (words === undefined || words === "") return { by: "whole" }
  return words === "=" ? { by: "value" } : { by: "keys", keys: words.split(",") }
}

/** Of which nothing is known. */
function openDefinition(name: string): Definition {
  return { name, isAtomic: false, fields: new Map(), isOpen: true }
}

/** `apps/v1`, `Deployment` → `apps.v1.Deployment`: groups by their first word. */
export function definitionName(group: string, version: string, kind: string): string {
  return `${group === "" ? "core" : (group.split(".")[0] ?? "")}.${version}.${kind}`
}

/** What an object of this kind looks like; of a kind that nothing is known of, its metadata alone. */
export function kindDefinition(group: string, version: string, kind: string): Definition {
  const name = definitionName(group, version, kind)
  return findDefinition(name) ?? unknownKind(name)
}

function unknownKind(name: string): Definition {
  return { name, isAtomic: false, isOpen: true, fields: new Map(metaFields()) }
}

function metaFields(): [string, Field][] {
  const optional = { isRequired: false, retainsKeys: false }
  return [
    ["apiVersion", { type: { type: "string" }, ...optional }],
    ["kind", { type: { type: "string" }, ...optional }],
    ["metadata", { type: parseType("@meta.v1.ObjectMeta"), ...optional }],
  ]
}

/** What a CustomResourceDefinition says of its kind (`openAPIV3Schema`). */
export function customDefinition(name: string, schema: unknown): Definition {
  const definition = structureOf(name, schema, 0)
  return { ...definition, fields: new Map([...definition.fields, ...metaFields()]) }
}

/** Deeper ones are anything. */
const MAX_DEPTH = 32

function structureOf(name: string, schema: unknown, depth: number): Definition {
  const required = new Set(listAt(schema, "required"))
  const fields = new Map<string, Field>()
  for (const [field, one] of Object.entries(treeAt(schema, "properties")))
    fields.set(field, {
      type: customType(`${name}.${field}`, one, depth + 1),
      isRequired: required.has(field),
      retainsKeys: false,
    })
  return {
    name,
    isAtomic: textAt(schema, "x-kubernetes-map-type") === "atomic",
    fields,
    isOpen: at(schema, "x-kubernetes-preserve-unknown-fields") === true || fields.size === 0,
  }
}

function customType(name: string, schema: unknown, depth: number): FieldType {
  if (!isTree(schema) || depth > MAX_DEPTH) return { type: "any" }
  if (schema["x-kubernetes-int-or-string"] === true) return { type: "intOrString" }
  switch (schema["type"]) {
    case "string":
      return customString(schema)
    case "boolean":
    case "integer":
    case "number":
      return { type: schema["type"] }
    case "array":
      return { type: "list", of: customType(name, schema["items"], depth + 1), merge: customMerge(schema) }
    case "object": {
      if (isTree(schema["additionalProperties"]))
        return { type: "map", of: customType(name, schema["additionalProperties"], depth + 1), isAtomic: false }
      const definition = structureOf(name, schema, depth)
      return { type: "object", definition: () => definition }
    }
    default:
      return { type: "any" }
  }
}

function customString(schema: Tree): FieldType {
  const values = listAt(schema, "enum").filter((one) => typeof one === "string")
  return values.length > 0 ? { type: "string", values } : { type: "string" }
}

function customMerge(schema: Tree): ListMerge {
  const keys = listAt(schema, "x-kubernetes-list-map-keys").filter((one) => typeof one === "string")
  if (schema["x-kubernetes-list-type"] === "map" && keys.length > 0) return { by: "keys", keys }
  return schema["x-kubernetes-list-type"] === "set" ? { by: "value" } : { by: "whole" }
}
