import { readDescriptions } from "../api/openapi.ts"
import { NotFound } from "../../base/errors.ts"
import { kindDefinition, type Definition, type Field, type FieldType } from "../api/schema/schema.ts"
import type { ResourceKind } from "../objects/kinds.ts"

const WIDTH = 80
/** Definitions that stand in themselves. */
const MAX_DEPTH = 12

/** What a field of a kind is, as kubectl's `explain` tells it. Throws NotFound for a field that is not there. */
export function explainField(kind: ResourceKind, fields: readonly string[], recursive: boolean): string {
  const about = readDescriptions()
  let definition: Definition | undefined = kindDefinition(kind.group, kind.version, kind.kind)
  let text = about.get(definition.name)?.get("") ?? ""
  let type = ""
  for (const name of fields) {
    const field = definition?.fields.get(name)
    if (field === undefined) throw new NotFound(`field "${name}" does not exist`)
    text = about.get(definition?.name ?? "")?.get(name) ?? ""
    type = typeName(field.type)
    definition = structureOf(field.type)
  }
  const head = [
    ...(kind.group === "" ? [] : [`GROUP:      ${kind.group}`]),
    `KIND:       ${kind.kind}`,
    `VERSION:    ${kind.version}`,
    "",
    ...(fields.length > 0 ? [`FIELD: ${fields.at(-1) ?? ""} <${type}>`, ""] : []),
    "DESCRIPTION:",
    ...wrapped(text === "" ? "<empty>" : text, "    "),
    "",
  ]
  if (definition === undefined || definition.fields.size === 0) return `${head.join("\n")}\n`
  const lines = recursive ? tree(definition, "  ", 0) : described(definition, about.get(definition.name))
  return `${[...head, "FIELDS:", ...lines].join("\n")}\n`
}

function structureOf(type: FieldType): Definition | undefined {
  if (type.type === "object") return type.definition()
  return type.type === "list" || type.type === "map" ? structureOf(type.of) : undefined
}

function typeName(type: FieldType): string {
  switch (type.type) {
    case "object":
      return type.definition().name.split(".").at(-1) ?? "Object"
    case "list":
      return `[]${typeName(type.of)}`
    case "map":
      return `map[string]${typeName(type.of)}`
    case "quantity":
      return "Quantity"
    case "intOrString":
      return "IntOrString"
    case "time":
      return "Time"
    case "any":
      return "Object"
    default:
      return type.type
  }
}

function described(definition: Definition, about: ReadonlyMap<string, string> | undefined): string[] {
  return [...definition.fields]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) => fieldLines(name, field, about?.get(name)))
}

function fieldLines(name: string, { type, isRequired }: Field, text = "<no description>"): string[] {
  return [
    `  ${name}\t<${typeName(type)}>${isRequired ? " -required-" : ""}`,
    ...(type.type === "string" && type.values ? [`  enum: ${type.values.join(", ")}`] : []),
    ...wrapped(text, "    "),
    "",
  ]
}

function tree(definition: Definition, indent: string, depth: number): string[] {
  return [...definition.fields]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) => branch(name, field, indent, depth))
}

function branch(name: string, { type, isRequired }: Field, indent: string, depth: number): string[] {
  const below = structureOf(type)
  return [
    `${indent}${name}\t<${typeName(type)}>${isRequired ? " -required-" : ""}`,
    ...(below === undefined || depth > MAX_DEPTH ? [] : tree(below, `${indent}  `, depth + 1)),
  ]
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + word.length + 1 > WIDTH - indent.length) {
      lines.push(indent + line)
      line = ""
    }
    line += line === "" ? word : ` ${word}`
  }
  return line === "" ? lines : [...lines, indent + line]
}
