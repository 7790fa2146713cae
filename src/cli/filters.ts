import { InvalidArgument } from "../base/errors.ts"

/** `--filter key=value`, of the keys that a command knows; values of one key together. Throws InvalidArgument. */
export function parseFilters<K extends string>(
  filters: readonly string[],
  known: readonly K[],
): Partial<Record<K, string[]>> {
  const parsed: Partial<Record<K, string[]>> = {}
  for (const filter of filters) {
    const equals = filter.indexOf("=")
    if (equals < 1)
      throw new InvalidArgument(`invalid filter '${filter}'`, {
        hint: `expected KEY=VALUE, valid keys: ${known.join(", ")}`,
      })
    const name = filter.slice(0, equals).trim().toLowerCase()
    const key = known.find((one) => one === name)
    if (key === undefined)
      throw new InvalidArgument(`invalid filter '${name}'`, {
        hint: `valid: ${known.join(", ")}`,
        data: { object: "filter", name },
      })
    const values: string[] = parsed[key] ?? []
    values.push(filter.slice(equals + 1).trim())
    parsed[key] = values
  }
  return parsed
}

/** The one value of a filter that is yes or no. */
export function booleanFilter(values: readonly string[] | undefined, key: string): boolean | undefined {
  const value = values?.at(-1)
  if (value === undefined) return undefined
  if (/^(?:1|true|t)$/i.test(value)) return true
  if (/^(?:0|false|f)$/i.test(value)) return false
  throw new InvalidArgument(`invalid filter '${key}=${value}'`, { hint: `expected ${key}=true or ${key}=false` })
}
