import { textAt, textsAt } from "../../field.ts"
import type { Table } from "../../api/tables/table.ts"

/** How a table is shown. */
export interface TableStyle {
  isWide?: boolean
  /** A column of namespaces before all others. */
  withNamespace?: boolean
  showLabels?: boolean
  /** Labels that have a column of their own. */
  labelColumns?: readonly string[]
  /** Before each name: `deployment.apps/`. */
  prefix?: string
}

/** The rows of a server's table, its heads first: what `get` prints. Cells are texts of one line. */
export function tableLines({ columnDefinitions, rows }: Table, style: TableStyle): string[][] {
  const columns = (columnDefinitions ?? [])
    .map(({ name, priority }, index) => ({ name, priority, index }))
    .filter(({ priority }) => style.isWide === true || priority === 0)
  const labelColumns = style.labelColumns ?? []
  const head = [
    ...(style.withNamespace === true ? ["NAMESPACE"] : []),
    ...columns.map(({ name }) => name.toUpperCase()),
    ...labelColumns.map((label) => (label.split("/").at(-1) ?? "").toUpperCase()),
    ...(style.showLabels === true ? ["LABELS"] : []),
  ]
  const body = rows.map(({ cells, object }) => {
    const labels = labelColumns.length > 0 || style.showLabels === true ? textsAt(object, "metadata", "labels") : {}
    return [
      ...(style.withNamespace === true ? [textAt(object, "metadata", "namespace")] : []),
      ...columns.map(({ index, name }) =>
        name === "Name" ? `${style.prefix ?? ""}${cellText(cells[index])}` : cellText(cells[index]),
      ),
      ...labelColumns.map((label) => labels[label] ?? ""),
      ...(style.showLabels === true ? [labelText(labels)] : []),
    ]
  })
  return [head, ...body]
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "<none>"
  const text = typeof value === "object" ? JSON.stringify(value) : String(value)
  if (!text.includes("\n") && !text.includes("\r")) return text
  return `${text.slice(0, text.search(/[\r\n]/))}...`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return all.length === 0 ? "<none>" : all.map(([key, value]) => `${key}=${value}`).join(",")
}
