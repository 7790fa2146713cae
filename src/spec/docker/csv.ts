import { InvalidArgument } from "../../base/errors.ts"

/** The fields of one comma-separated line (RFC 4180, as Go's encoding/csv reads it): `a,"b,c"`. Throws InvalidArgument. */
export function splitCsv(text: string, what: string): string[] {
  const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)]
  if (fields.reduce((sum, [whole]) => sum + whole.length, 0) !== text.length)
    throw new InvalidArgument(`invalid ${what}: '${text}'`)
  return fields.map(([, quoted, plain = ""]) => (quoted === undefined ? plain : quoted.replaceAll('""', '"')))
}

/**
 * Docker's `type=local,dest=out`: keys in lower case, each once; a word without `=` has an undefined value.
 * Throws InvalidArgument.
 */
export function parseFields(text: string, what: string): Map<string, string | undefined> {
  const fields = new Map<string, string | undefined>()
  for (const field of splitCsv(text, what)) {
    const equals = field.indexOf("=")
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase()
    if (key === "") throw new InvalidArgument(`invalid ${what}: '${text}': a field without name`)
    if (fields.has(key)) throw new InvalidArgument(`invalid ${what}: '${text}': ${key} is given twice`)
    fields.set(key, equals < 0 ? undefined : field.slice(equals + 1))
  }
  return fields
}
