import { parseFilters } from "../filters.ts"

const KEYS = ["name", "pod", "status"] as const

/** What of a line of `quadlet list` a filter looks at. */
export interface UnitRow {
  Name: string
  Status: string
  Pod: string
}

/** `quadlet list --filter`: a shell pattern of file names, a status, the file of a pod; of several values of one key, any. Throws InvalidArgument. */
export function unitFilter(filters: readonly string[]): (row: UnitRow) => boolean {
  const { name, pod, status } = parseFilters(filters, KEYS)
  const names = name?.map(shellPattern)
  return (row) =>
    (names?.some((pattern) => pattern.test(row.Name)) ?? true) &&
    (pod?.includes(row.Pod) ?? true) &&
    (status?.includes(row.Status) ?? true)
}

/** File names have no slash: `*` is any text, `?` any character. */
function shellPattern(text: string): RegExp {
  const words = text.split(/([*?])/).map((part) => (part === "*" ? ".*" : part === "?" ? "." : RegExp.escape(part)))
  return new RegExp(`^${words.join("")}$`, "s")
}
