import { InvalidArgument } from "../../../base/errors.ts"
import type { Tree } from "../../field.ts"
import { jsonPathValues } from "../../api/json-path.ts"

/** `NAME:.metadata.name,IMAGE:.spec.containers[*].image`: heads and rows. Throws InvalidArgument. */
export function customColumnsText(spec: string, objects: readonly Tree[]): string[][] {
  if (spec === "") throw new InvalidArgument("custom-columns format specified but no custom columns given")
  const columns = spec.split(/,(?![^[]*\])/).map((one) => {
    const colon = one.indexOf(":")
    if (colon === -1)
      throw new InvalidArgument(`unexpected custom-columns spec: ${one}, expected <header>:<json-path-expr>`)
    return { head: one.slice(0, colon), path: one.slice(colon + 1) }
  })
  const rows = objects.map((object) =>
    columns.map(({ path }) => {
      const values = jsonPathValues(path, object)
      return values.length === 0 ? "<none>" : values.map(shown).join(",")
    }),
  )
  return [columns.map(({ head }) => head), ...rows]
}

/** As Go prints values: maps and lists in its own form. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "<nil>"
  if (Array.isArray(value)) return `[${value.map(shown).join(" ")}]`
  if (typeof value !== "object") return String(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, one]) => `${key}:${shown(one)}`).join(" ")}]`
}
