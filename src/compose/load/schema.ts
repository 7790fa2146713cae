import { nearest } from "../../base/nearest.ts"
import { fault } from "./fault.ts"
import type { Key, Schema, TypeName } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { isMap, originAt, type Tree, type TreeMap, type TreePath } from "./tree.ts"
import { goType } from "./unique.ts"

/** What is wrong at one place. */
interface Violation {
  /** As the message names it. */
  path: TreePath
  /** What is shown of the file, where that is not `path`. */
  place?: TreePath
  message: string
  /** How near to the cause it is: of several the highest is told. */
  depth: number
  hint?: string
}

/** Checks a model against the Compose Specification's schema, in docker's words. Throws InvalidArgument; `file` is named in the message. */
export function checkSchema(tree: TreeMap, file: string): void {
  const found = deepest(violations(tree, project, []))
  if (!found) return
  const { path, place = path, message, hint } = found
  throw fault(`validating ${file}: ${path.join(".")} ${message}`, originAt(tree, place), { hint })
}

/** The first of those that are nearest to the cause. */
function deepest(found: readonly Violation[]): Violation | undefined {
  return found.reduce<Violation | undefined>((best, one) => (best && best.depth >= one.depth ? best : one), undefined)
}

function violations(value: Tree, schema: Schema, path: TreePath): Violation[] {
  if (schema.forms) return formViolations(value, schema.forms, path)
  const wrong = (message: string): Violation => ({ path, message, depth: path.length })
  if (value instanceof Date) return [wrong(`invalid jsonType ${goType(value)}`)]
  if (schema.types && !schema.types.some((type) => isOfType(value, type)))
    return [wrong(`must be a ${listTypes(schema.types)}`)]
  if (isMap(value)) return mapViolations(value, schema, path)
  if (Array.isArray(value)) return listViolations(value, schema, path)
  return scalarFault(value, schema).map(wrong)
}

/** One form must fit, and one only. Where none does, the form that came nearest says why. */
function formViolations(value: Tree, forms: readonly Schema[], path: TreePath): Violation[] {
  const found = forms.map((form) => violations(value, form, path))
  const fitting = [...found.keys()].filter((index) => found[index]?.length === 0)
  if (fitting.length === 1) return []
  if (fitting.length > 1)
    return [{ path, message: `oneOf failed, subschemas ${fitting.slice(0, 2).join(", ")} matched`, depth: path.length }]
  const best = deepest(found.flatMap((one) => deepest(one) ?? []))
  return best ? [best] : []
}

function mapViolations(value: TreeMap, schema: Schema, path: TreePath): Violation[] {
  const found: Violation[] = []
  const { keys = {}, values, name, isClosed, isExtensible, required = [] } = schema
  const missing = required.filter((one) => !Object.hasOwn(value, one))
  if (missing.length > 0) {
    const word = missing.length === 1 ? "property" : "properties"
    found.push({ path, message: `missing ${word} ${quoteAll(missing)}`, depth: path.length })
  }
  const unknown: string[] = []
  for (const [one, below] of Object.entries(value)) {
    const here = [...path, one]
    if (Object.hasOwn(keys, one)) found.push(...violations(below, keys[one] as Key, here))
    else if (values && name?.test(one) === true) found.push(...violations(below, values, here))
    else if (isClosed === true && !(isExtensible === true && one.startsWith("x-"))) unknown.push(one)
  }
  if (unknown.length > 0) found.push(unknownKeys(unknown.toSorted(), Object.keys(keys), path))
  return found
}

function unknownKeys(unknown: readonly string[], known: readonly string[], path: TreePath): Violation {
  const message = `additional properties ${quoteAll(unknown)} not allowed`
  const [first = ""] = unknown
  const meant = nearest(first, known)
  const at = [...path, first]
  // docker names the map; the place that is shown is the key's own
  return {
    path,
    place: at,
    message,
    depth: at.length,
    ...(meant !== undefined && { hint: `did you mean ${JSON.stringify(meant)}?` }),
  }
}

function listViolations(value: readonly Tree[], schema: Schema, path: TreePath): Violation[] {
  const found: Violation[] = []
  const twins = schema.distinct === true ? firstTwins(value) : undefined
  if (twins) found.push({ path, message: `items at ${twins[0]} and ${twins[1]} are equal`, depth: path.length })
  const { items } = schema
  if (items) for (const [index, item] of value.entries()) found.push(...violations(item, items, [...path, index]))
  return found
}

function firstTwins(value: readonly Tree[]): [number, number] | undefined {
  const seen = new Map<string, number>()
  for (const [index, item] of value.entries()) {
    const text = JSON.stringify(item, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one))
    const before = seen.get(text)
    if (before !== undefined) return [before, index]
    seen.set(text, index)
  }
  return undefined
}

function scalarFault(value: Tree, { enum: words, pattern, minimum, maximum }: Schema): string[] {
  const found: string[] = []
  if (words && !words.some((word) => word === value))
    found.push(words.length === 1 ? `value must be ${quoteAll(words)}` : `value must be one of ${quoteAll(words)}`)
  if (pattern && typeof value === "string" && !pattern.test(value))
    found.push(`'${value}' does not match pattern '${pattern.source}'`)
  if (typeof value === "number") {
    if (minimum !== undefined && value < minimum) found.push(`minimum: got ${value}, want ${minimum}`)
    if (maximum !== undefined && value > maximum) found.push(`maximum: got ${value}, want ${maximum}`)
  }
  return found
}

function isOfType(value: Tree, type: TypeName): boolean {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isMap(value)
    case "integer":
      return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))
    case "number":
      return typeof value === "bigint" || typeof value === "number"
    default:
      return typeof value === type
  }
}

function listTypes(types: readonly TypeName[]): string {
  const named = types.toSorted().map((type) => (type === "object" ? "mapping" : type))
  const last = named.pop() ?? ""
  return named.length === 0 ? last : `${named.join(", ")} or ${last}`
}

function quoteAll(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(", ")
}
