import { isTree, setKey, type Tree } from "../../field.ts"
import { definitionName, findDefinition, type Definition, type Field, type FieldType } from "../schema/schema.ts"
import { badRequest, statusError } from "../status.ts"
import { NUMBERS } from "./numbers.ts"

const MAGIC = Buffer.from("k8s\0")
const MAX_DEPTH = 64

/** What a number of a message stands for. */
interface Numbered {
  name: string
  /** Its fields stand in the one that holds it. */
  isEmbedded: boolean
  isPointer: boolean
}

let lines: Map<string, string> | undefined
const parsed = new Map<string, ReadonlyMap<number, Numbered>>()

function numbersOf(name: string): ReadonlyMap<number, Numbered> | undefined {
  const known = parsed.get(name)
  if (known) return known
  lines ??= new Map(
    NUMBERS.trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  )
  const line = lines.get(name)
  if (line === undefined) return undefined
  const numbers = new Map<number, Numbered>()
  for (const word of line.split(" ")) {
    const [field = "", number = ""] = word.split("=")
    const isEmbedded = field.startsWith("^")
    numbers.set(Number.parseInt(number, 10), {
      name: isEmbedded ? field.slice(1) : field,
      isEmbedded,
      isPointer: number.endsWith("*"),
    })
  }
  parsed.set(name, numbers)
  return numbers
}

/**
 * An object as clients that are written in Go send it: Kubernetes' envelope around a message of Protocol Buffers (apimachinery, serializer/protobuf). Gives what
 * its JSON would be. Throws BadRequest for what is none, UnsupportedMediaType for a kind whose numbers are not known.
 */
export function decodeProtobuf(bytes: Uint8Array): Tree {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!buffer.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest("the body of the request is no protobuf of Kubernetes'")
  let [apiVersion, kind] = ["", ""]
  let raw: Uint8Array = new Uint8Array()
  for (const part of messageFields(buffer.subarray(MAGIC.length))) {
    if (part.number === 2) raw = part.bytes
    if (part.number !== 1) continue
    for (const one of messageFields(part.bytes)) {
      if (one.number === 1) apiVersion = text(one.bytes)
      if (one.number === 2) kind = text(one.bytes)
    }
  }
  const slash = apiVersion.indexOf("/")
  const [group, version] = slash === -1 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
  const isShared = kind === "DeleteOptions"
  const definition = findDefinition(isShared ? "meta.v1.DeleteOptions" : definitionName(group, version, kind))
  if (definition === undefined || numbersOf(definition.name) === undefined)
    throw statusError(
      "InvalidArgument",
      `the body of the request was in an unknown format - ${kind} of ${apiVersion} is taken as application/json`,
      {
        reason: "UnsupportedMediaType",
      },
    )
  return { kind, apiVersion, ...structure(raw, definition, 0) }
}

function structure(bytes: Uint8Array, definition: Definition, depth: number): Tree {
  const result: Tree = {}
  read(bytes, result, { definition, numbers: numbersOf(definition.name), depth })
  return result
}

interface Reading {
  definition: Definition
  numbers: ReadonlyMap<number, Numbered> | undefined
  depth: number
}

function read(bytes: Uint8Array, result: Tree, { definition, numbers, depth }: Reading): void {
  if (depth > MAX_DEPTH) throw badRequest(`the object is nested more than ${MAX_DEPTH} levels deep`)
  for (const field of messageFields(bytes)) {
    const numbered = numbers?.get(field.number)
    if (numbered === undefined) continue
    if (numbered.isEmbedded) {
      const [group = "", version = ""] = definition.name.split(".")
      read(field.bytes, result, {
        definition,
        numbers: numbersOf(`${group}.${version}.${numbered.name}`),
        depth: depth + 1,
      })
      continue
    }
    const known = definition.fields.get(numbered.name)
    if (known !== undefined) put(result, numbered, known, field, depth)
  }
}

function put(result: Tree, { name, isPointer }: Numbered, { type }: Field, field: WireField, depth: number): void {
  if (type.type === "list") {
    const list = Array.isArray(result[name]) ? (result[name] as unknown[]) : []
    if (type.of.type === "integer" && field.isBytes) for (const one of varints(field.bytes)) list.push(Number(one))
    else list.push(value(type.of, field, depth))
    result[name] = list
  } else if (type.type === "map") {
    const map = isTree(result[name]) ? result[name] : {}
    let key = ""
    let entry: unknown
    for (const one of messageFields(field.bytes)) {
      if (one.number === 1) key = text(one.bytes)
      if (one.number === 2) entry = value(type.of, one, depth + 1)
    }
    setKey(map, key, entry ?? (type.of.type === "object" ? {} : ""))
    result[name] = map
  } else {
    const found = value(type, field, depth)
    const isNothing = found === undefined || (!isPointer && (found === "" || found === 0 || found === false))
    if (!isNothing) result[name] = found
  }
}

function value(type: FieldType, field: WireField, depth: number): unknown {
  switch (type.type) {
    case "object":
      return structure(field.bytes, type.definition(), depth + 1)
    case "string":
      return text(field.bytes)
    case "bytes":
      return Buffer.from(field.bytes).toString("base64")
    case "boolean":
      return field.varint !== 0n
    case "integer":
    case "number":
      return Number(BigInt.asIntN(64, field.varint))
    case "quantity":
      return text(first(field.bytes, 1)?.bytes ?? new Uint8Array())
    case "intOrString": {
      const isText = (first(field.bytes, 1)?.varint ?? 0n) === 1n
      return isText
        ? text(first(field.bytes, 3)?.bytes ?? new Uint8Array())
        : Number(BigInt.asIntN(32, first(field.bytes, 2)?.varint ?? 0n))
    }
    case "time":
    case "microTime": {
      const seconds = Number(BigInt.asIntN(64, first(field.bytes, 1)?.varint ?? 0n))
      const nanos = Number(first(field.bytes, 2)?.varint ?? 0n)
      if (seconds === 0 && nanos === 0) return undefined
      const iso = new Date(seconds * 1000).toISOString()
      return type.type === "time"
        ? iso.replace(/\.\d+Z$/, "Z")
        : iso.replace(/\.\d+Z$/, `.${`${Math.floor(nanos / 1000)}`.padStart(6, "0")}Z`)
    }
    default:
      return json(first(field.bytes, 1)?.bytes)
  }
}

function json(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined
  try {
    return JSON.parse(text(bytes)) as unknown
  } catch (cause) {
    throw Object.assign(badRequest("a part of the object is no JSON"), { cause })
  }
}

function first(bytes: Uint8Array, number: number): WireField | undefined {
  for (const field of messageFields(bytes)) if (field.number === number) return field
  return undefined
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}

/** One field of a message: a number, or bytes. */
interface WireField {
  number: number
  varint: bigint
  bytes: Uint8Array
  isBytes: boolean
}

const NOTHING = new Uint8Array()

/** Fields in their order (protobuf.dev, encoding). Throws BadRequest for what is cut off, or of another form. */
function* messageFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0
  const varint = (): bigint => {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw badRequest("the body of the request ends within a number")
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
    throw badRequest("the body of the request has a number of more than 64 bits")
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const [number, form] = [tag >> 3, tag & 7]
    if (form === 0) yield { number, varint: varint(), bytes: NOTHING, isBytes: false }
    else if (form === 2) {
      const length = Number(varint())
      if (!(length <= bytes.length - at)) throw badRequest("the body of the request ends within a field")
      yield { number, varint: 0n, bytes: bytes.subarray(at, at + length), isBytes: true }
      at += length
    } else if (form === 1 || form === 5) at += form === 1 ? 8 : 4
    else throw badRequest("the body of the request has a field of an unknown form")
  }
}

function* varints(bytes: Uint8Array): Generator<bigint> {
  let [value2, shift] = [0n, 0n]
  for (const byte of bytes) {
    value2 |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte >= 0x80) continue
    yield BigInt.asIntN(64, value2)
    ;[value2, shift] = [0n, 0n]
  }
}
