import { InvalidArgument } from "../../base/errors.ts"
import { fieldsOf, isShape, type ShapeName } from "./object-shapes.ts"
import type { Json } from "./read-documents.ts"

/** A field that does less than its author may think, by its path: `spec.containers[0].imag`. */
export interface FieldWarning {
  path: string
  text: string
}

/** An object in the form that its kind has: of no other types, without what is null. */
export interface CheckedObject {
  value: unknown
  /** Fields that the kind does not have. */
  unknown: FieldWarning[]
}

/** Of lists and mappings in each other. */
const MAX_DEPTH = 64
const MAX_WARNINGS = 100

/**
 * An object with the fields and types of `shape`; unknown fields are left out and told of. As the tools of podman and Kubernetes, it takes
 * a number where a text is to stand. Throws InvalidArgument with the path for another type.
 */
export function checkObject(value: Json, shape: ShapeName): CheckedObject {
  const unknown: FieldWarning[] = []
  return { value: checked(value, { type: shape, path: "", unknown, depth: 0 }), unknown }
}

interface Place {
  type: string
  path: string
  unknown: FieldWarning[]
  depth: number
}

function checked(value: Json, place: Place): unknown {
  const { type, path, depth } = place
  if (depth > MAX_DEPTH) throw wrong(path, "is nested too deeply")
  if (type.startsWith("[]")) {
    if (!Array.isArray(value)) throw wrongType(path, "a list", value)
    return value.map((item, index) =>
      checked(item, { ...place, type: type.slice(2), path: `${path}[${index}]`, depth: depth + 1 }),
    )
  }
  if (type.startsWith("{}")) {
    const entries = Object.entries(mapOf(value, path)).filter(([, one]) => one !== null)
    return Object.fromEntries(
      entries.map(([key, one]) => [
        key,
        checked(one, { ...place, type: type.slice(2), path: `${path}[${JSON.stringify(key)}]`, depth: depth + 1 }),
      ]),
    )
  }
  if (isShape(type)) return checkedShape(mapOf(value, path), type, place)
  return scalarOf(value, type, path)
}

function checkedShape(value: Record<string, Json>, shape: ShapeName, place: Place): object {
  const fields = fieldsOf(shape)
  const result = new Map<string, unknown>()
  for (const [key, one] of Object.entries(value)) {
    if (one === null) continue
    const path = place.path === "" ? key : `${place.path}.${key}`
    const known = fields.has(key) ? key : inOtherCase(fields, key)
    if (known === undefined || known !== key) tell(place.unknown, path, known)
    const type = known === undefined ? undefined : fields.get(known)
    // the field in its right case goes before
    if (known === undefined || type === undefined || (known !== key && value[known] !== undefined)) continue
    result.set(known, checked(one, { ...place, type, path, depth: place.depth + 1 }))
  }
  return Object.fromEntries(result)
}

/** Podman reads JSON as Go does, whatever the case: it is done as it says, and told. */
function inOtherCase(fields: ReadonlyMap<string, string>, key: string): string | undefined {
  const lower = key.toLowerCase()
  return fields.keys().find((name) => name.toLowerCase() === lower)
}

function tell(unknown: FieldWarning[], path: string, meant: string | undefined): void {
  if (unknown.length >= MAX_WARNINGS) return
  const shown = path.slice(0, 200)
  unknown.push({
    path: shown,
    text: meant === undefined ? "unknown field" : `unknown field, read as "${meant}": a cluster would not`,
  })
}

function scalarOf(value: Json, type: string, path: string): unknown {
  switch (type) {
    case "string":
      if (typeof value === "string") return value
      // `value: 8080` without quotes
      if (typeof value === "number" || typeof value === "boolean") return String(value)
      throw wrongType(path, "a text", value)
    case "boolean":
      if (typeof value === "boolean") return value
      if (value === "true" || value === "false") return value === "true"
      throw wrongType(path, "true or false", value)
    case "integer":
      return integerOf(value, path)
    case "intOrString":
      return typeof value === "string" ? value : integerOf(value, path)
    case "quantity":
      if (typeof value === "string" || typeof value === "number") return String(value)
      throw wrongType(path, "a quantity", value)
    default:
      return value
  }
}

function integerOf(value: Json, path: string): number {
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof number !== "number" || !Number.isSafeInteger(number)) throw wrongType(path, "an integer", value)
  return number
}

function mapOf(value: Json, path: string): Record<string, Json> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(path, "a mapping", value)
  return value
}

function wrongType(path: string, wanted: string, value: Json): InvalidArgument {
  const is =
    value === null ? "nothing" : Array.isArray(value) ? "a list" : typeof value === "object" ? "a mapping" : "a value"
  const shown = typeof value === "object" ? is : `${JSON.stringify(value).slice(0, 60)}`
  return wrong(path, `must be ${wanted}, and is ${shown}`)
}

function wrong(path: string, text: string): InvalidArgument {
  const shown = path === "" ? "the document" : path.slice(0, 200)
  return new InvalidArgument(`${shown} ${text}`, { data: { path: shown } })
}
