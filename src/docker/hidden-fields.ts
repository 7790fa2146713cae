/** `object`, with fields, hidden ones too, that templates may name and that JSON leaves out. Fields that it has stay. */
export function hide<T extends object>(object: T, fields: Readonly<Record<string, unknown>>): T {
  for (const name of Object.getOwnPropertyNames(fields))
    if (!Object.hasOwn(object, name)) Object.defineProperty(object, name, { value: fields[name], enumerable: false })
  return object
}

/** The same, into objects inside: `fields` has an object where the document has one. Changes the document. */
export function hideInside(document: Record<string, unknown>, fields: Readonly<Record<string, unknown>>): object {
  for (const [name, value] of Object.entries(fields)) {
    const inner = document[name]
    if (isPlain(inner) && isPlain(value)) hideInside(inner, value)
    else hide(document, { [name]: value })
  }
  return document
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map)
}
