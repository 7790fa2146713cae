import type { Out } from "../out.ts"
import { printable } from "../../base/printable.ts"
import { evaluate, tabbedFields, UNKNOWN_FIELD } from "../template/evaluate.ts"
import { parseTemplate, type Template } from "../template/parser.ts"
import { alignCells, alignColumns, textLength, type ColumnStyle } from "./columns.ts"
import { fitColumns } from "./fit-columns.ts"
import { isWholeFormat } from "./whole-format.ts"

/** How `ls` commands show things. */
export interface ListFormat {
  /** A row's fields with their column titles. */
  titles: Readonly<Record<string, string>>
  /** Docker's default, `table {{.ID}}\t…`. */
  table: string
  /** What `-q` prints. */
  quiet: string
  /** Default: docker's. */
  columns?: ColumnStyle
  /** What `json` prints of the rows, as one array; default: each row as it is, on a line of its own. */
  documents?(rows: readonly object[]): readonly object[]
}

/** The flags that lists share. */
export interface ListFlags {
  format?: string | undefined
  json?: boolean
  quiet?: boolean
  /** No titles. */
  noheading?: boolean
}

/** Prints rows as docker does: a table, `--format json|table …|TEMPLATE`, `-q`; `--json` prints one array. */
export function printList(
  out: Out,
  rows: readonly object[],
  flags: ListFlags,
  { titles, table, quiet, columns: style, documents }: ListFormat,
): void {
  if (flags.json || (documents && isWholeFormat(flags.format))) return out.json(documents?.(rows) ?? rows)
  const asked = flags.quiet && !flags.format ? quiet : (flags.format ?? "table")
  const chosen = asked === "table" || asked === "" ? table : asked === "json" ? "{{json .}}" : asked
  const isTable = chosen.startsWith("table ")
  const text = isTable ? chosen.slice("table ".length).trim() : chosen
  // podman's: in a table, each field is a column
  const spaced = isTable && style !== undefined ? text.replaceAll(/\}\} +\{\{/g, "}}\t{{") : text
  const template = parseTemplate(unescape(spaced))
  if (isTable) {
    const quick =
      out.columns === undefined ? plainTable(template, rows, flags.noheading ? undefined : titles) : undefined
    if (quick !== undefined)
      return quick.length === 0 ? undefined : out.line(alignedText(alignCells(quick, style, textLength)))
    // a cell of ours, not of its text, begins a new column or line
    const lines = rows.map((row) => evaluate(template, inOneLine(row)))
    const heading = flags.noheading ? [] : [evaluate(template, { ...titles, Label: String })]
    const { columns } = out
    const all = [...heading, ...lines]
    const shown = columns === undefined ? alignColumns(all, style) : fitColumns(all, columns)
    // in one write: a terminal shows it at once
    if (shown.length > 0) out.line(alignedText(shown))
    return
  }
  // podman's: the template itself walks over the rows
  if (RANGES.test(chosen)) return out.line(evaluate(template, rows).trimEnd())
  if (rows.length === 0) checkFields(template, titles)
  if (rows.length > 0) out.line(rows.map((row) => evaluate(template, row)).join("\n"))
}

function alignedText(lines: readonly string[]): string {
  return lines.map((line) => (line.endsWith(" ") ? line.trimEnd() : line)).join("\n")
}

/**
 * The cells of a table of plain fields of plain text, which need no template to be run: of ten thousand rows that took a third of the
 * command. Undefined where anything is not as plain, and the template has to say what it is.
 */
function plainTable(
  template: Template,
  rows: readonly object[],
  titles: ListFormat["titles"] | undefined,
): string[][] | undefined {
  const names = tabbedFields(template)
  if (names === undefined) return undefined
  const cells: string[][] = []
  for (const row of titles === undefined ? rows : [titles, ...rows]) {
    const line: string[] = []
    for (const name of names) {
      const value = Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
      if (typeof value !== "string" || !PLAIN.test(value)) return undefined
      line.push(value)
    }
    cells.push(line)
  }
  return cells
}

const RANGES = /^\{\{-?\s*range\s+\.\s*-?\}\}/

/** A wrong field is a mistake even where there is nothing to show. Throws InvalidArgument. */
function checkFields(template: Template, titles: ListFormat["titles"]): void {
  try {
    evaluate(template, { ...titles, Label: String })
  } catch (error) {
    // any other fault may come of the titles, which are no rows
    if (error instanceof Error && error.message.includes(UNKNOWN_FIELD)) throw error
  }
}

/** Reads a field when the template does, and no sooner. */
function inOneLine(row: object): object {
  return new Proxy(row, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== "string" || PLAIN.test(value)) return value
      return printable(value).replaceAll(/[\t\n]/g, " ")
    },
  })
}

const PLAIN = /^[\x20-\x7e]*$/

/** Shells pass `\t` and `\n` through: docker turns them into the characters; inside actions Go's strings do it themselves. */
function unescape(template: string): string {
  return template.replaceAll(/\{\{[\s\S]*?\}\}|\\t|\\n/g, (found) =>
    found === "\\t" ? "\t" : found === "\\n" ? "\n" : found,
  )
}
