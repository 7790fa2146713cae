import { InvalidArgument } from "../../base/errors.ts"
import { parseTemplate } from "./parse.ts"
import type { Block, Body, Expression } from "./syntax.ts"

const BLOCKS = new Set(["target", "group", "variable", "function"])
const MOST_DEPTH = 100

/** A bake file in JSON as a body of HCL (HCL's JSON syntax): strings are templates. Throws InvalidArgument. */
export function parseJson(text: string): Body {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw new InvalidArgument(`the file is not JSON: ${cause instanceof Error ? cause.message : ""}`, { cause })
  }
  if (!isMapping(document)) throw new InvalidArgument("a bake file in JSON is an object")
  const { attributes, blocks }: Body = { attributes: new Map(), blocks: [] }
  for (const [key, value] of Object.entries(document)) {
    if (BLOCKS.has(key)) blocks.push(...blocksOf(key, value))
    else attributes.set(key, { at: 0, value: expressionOf(value, 0) })
  }
  return { attributes, blocks }
}

function blocksOf(type: string, value: unknown): Block[] {
  const maps = Array.isArray(value) ? (value as unknown[]) : [value]
  return maps.flatMap((map) => {
    if (!isMapping(map)) throw new InvalidArgument(`"${type}" is an object of names`)
    return Object.entries(map).flatMap(([label, bodies]) =>
      (Array.isArray(bodies) ? (bodies as unknown[]) : [bodies]).map((body) => blockOf(type, label, body)),
    )
  })
}

function blockOf(type: string, label: string, value: unknown): Block {
  if (!isMapping(value)) throw new InvalidArgument(`${type} "${label}" is not an object`)
  const { validation, ...rest } = value
  const entries = Object.entries(rest).map(([key, one]) => [key, { at: 0, value: expressionOf(one, 0) }] as const)
  const validations =
    validation === undefined ? [] : Array.isArray(validation) ? (validation as unknown[]) : [validation]
  const blocks = validations.map((one) => blockOf("validation", "", one))
  return { type, labels: [label], at: 0, body: { attributes: new Map(entries), blocks } }
}

function expressionOf(value: unknown, depth: number): Expression {
  if (depth > MOST_DEPTH) throw new InvalidArgument("nested too deeply")
  if (typeof value === "string") return parseTemplate(value)
  if (typeof value === "number" || typeof value === "boolean") return { kind: "literal", at: 0, value }
  if (Array.isArray(value))
    return { kind: "list", at: 0, items: (value as unknown[]).map((one) => expressionOf(one, depth + 1)) }
  if (!isMapping(value)) return { kind: "literal", at: 0, value: null }
  const entries = Object.entries(value).map(([key, one]) => [parseTemplate(key), expressionOf(one, depth + 1)] as const)
  return { kind: "object", at: 0, entries }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
