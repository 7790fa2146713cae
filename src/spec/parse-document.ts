import * as v from "valibot"
import { DataLoss } from "../base/errors.ts"

/** Parses the bytes of a JSON object that came from outside. Throws DataLoss; `what` names it in the message. */
export function parseDocument(bytes: Uint8Array, maxBytes: number, what: string): Record<string, unknown> {
  if (bytes.length > maxBytes)
    throw new DataLoss(`${what} has ${bytes.length} bytes, more than ${maxBytes} are not read`)
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new DataLoss(`${what} is not JSON`, { cause })
  }
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new DataLoss(`${what} is not a JSON object`)
  return document as Record<string, unknown>
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
