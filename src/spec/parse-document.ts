import * as v from "valibot"
import { DataLoss } from "../base/errors.ts"

/** Of lists and objects in each other. No document that we read has a tenth of it. */
const MAX_DEPTH = 64
/** A value of a few bytes takes up to a hundred in memory: 8 MiB of `[[],[],` would take half a gigabyte. */
const MAX_VALUES = 200_000

/** Parses the bytes of a JSON object that came from outside. Throws DataLoss; `what` names it in the message. */
export function parseDocument(
  bytes: Uint8Array,
  maxBytes: number,
  what: string,
  maxValues = MAX_VALUES,
): Record<string, unknown> {
  if (bytes.length > maxBytes) throw new DataLoss(`${what} has ${bytes.length} bytes, the limit is ${maxBytes}`)
  const document = parseJson(bytes, what, maxValues)
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new DataLoss(`${what} is not a JSON object`)
  return document as Record<string, unknown>
}

/** Parses JSON that came from outside; it is measured before anything is made of it. Throws DataLoss. */
export function parseJson(bytes: Uint8Array, what: string, maxValues = MAX_VALUES): unknown {
  checkSize(bytes, what, maxValues)
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new DataLoss(`${what} is not JSON`, { cause })
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d]

/** Counts values and depth. Of what is no JSON it may count anything: the parser refuses it next. */
function checkSize(bytes: Uint8Array, what: string, maxValues: number): void {
  let values = 1
  let depth = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === QUOTE) {
      for (index++; index < bytes.length && bytes[index] !== QUOTE; index++) if (bytes[index] === BACKSLASH) index++
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      values++
      if (++depth > MAX_DEPTH) throw new DataLoss(`${what} is nested more than ${MAX_DEPTH} levels deep`)
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    else if (byte === COMMA) values++
    if (values > maxValues) throw new DataLoss(`${what} has more than ${maxValues} values`)
  }
}

/** At most `count` entries of a list or an object; `what` names them in the message. */
export function atMost<T extends object>(count: number, what: string) {
  return v.check<T, string>(
    (value) => (Array.isArray(value) ? value.length : Object.keys(value).length) <= count,
    `more than ${count} ${what}`,
  )
}

/** Checks a document against `schema` and leaves out what the schema does not name. Throws DataLoss with the field. */
export function checkDocument<T extends v.GenericSchema>(schema: T, document: unknown, what: string) {
  const result = v.safeParse(schema, document, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  throw new DataLoss(`invalid ${what}: ${v.getDotPath(issue) ?? "document"}: ${issue.message.slice(0, 300)}`)
}

/** A field that may be missing. Go writes an empty slice or map as null: the same as absent. */
export function absent<T extends v.GenericSchema>(schema: T) {
  return v.optional(
    v.pipe(
      v.nullable(schema),
      v.transform((value) => value ?? undefined),
    ),
  )
}
