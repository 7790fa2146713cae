import { parseJson } from "../spec/parse-document.ts"

/** An image may hold any number of them: one that is made to fill the memory is none. */
const MAX_VALUES = 2_000_000

/** Fields of an object that somebody wrote. */
export type Fields = Readonly<Record<string, unknown>>

/** The object in a JSON document; undefined for what is none. */
export function jsonFields(bytes: Uint8Array, maxValues = MAX_VALUES): Fields | undefined {
  try {
    return fieldsOf(parseJson(withoutMark(bytes), "document", maxValues))
  } catch {
    return undefined
  }
}

/** The value of a JSON document, of any kind; undefined for what is none. */
export function jsonValue(bytes: Uint8Array): unknown {
  try {
    return parseJson(withoutMark(bytes), "document", MAX_VALUES)
  } catch {
    return undefined
  }
}

/** Undefined for what is no object. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** Those of a list that are objects; none for what is no list. */
export function objectsOf(value: unknown): Fields[] {
  const objects: Fields[] = []
  if (!Array.isArray(value)) return objects
  for (const each of value as unknown[]) {
    const fields = fieldsOf(each)
    if (fields !== undefined) objects.push(fields)
  }
  return objects
}

/** Names and objects below an object. */
export function entriesOf(value: unknown): [string, Fields][] {
  const entries: [string, Fields][] = []
  for (const [name, each] of Object.entries(fieldsOf(value) ?? {})) {
    const fields = fieldsOf(each)
    if (fields !== undefined) entries.push([name, fields])
  }
  return entries
}

/** A text that is none too long; undefined for all else. */
export function textOf(value: unknown, maxLength = 256): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, maxLength) : undefined
}

/** .NET's tools write one. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}
