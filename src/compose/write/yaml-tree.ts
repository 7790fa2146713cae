import { showNumber } from "../load/go-scalar.ts"
import { compareKeys } from "./key-order.ts"
import { yamlText } from "./yaml-scalar.ts"

/** Marks a map whose keys are written in their own order, not sorted. */
export class Ordered {
  readonly entries: readonly (readonly [string, unknown])[]

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries
  }
}

/** One document as go-yaml writes it: two spaces a level, lists one level below their key, keys of maps sorted. */
export function yamlDocument(value: unknown): string {
  const entries = entriesOf(value)
  return entries === undefined || entries.length === 0
    ? `${inline(value, 0)}\n`
    : `${mapLines(entries, 0).join("\n")}\n`
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value instanceof Ordered) return value.entries
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date) return undefined
  return Object.entries(value).toSorted(([a], [b]) => compareKeys(a, b))
}

function mapLines(entries: readonly (readonly [string, unknown])[], indent: number): string[] {
  const margin = " ".repeat(indent)
  return entries.flatMap(([key, value]) => {
    const head = `${margin}${yamlText(key, { indent, isKey: true })}:`
    const below = blockLines(value, indent + 2)
    return below === undefined ? [`${head} ${inline(value, indent + 2)}`] : [head, ...below]
  })
}

/** Undefined: it stands on the line of its key or dash. */
function blockLines(value: unknown, indent: number): string[] | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.flatMap((item) => itemLines(item, indent))
  const entries = entriesOf(value)
  return entries === undefined || entries.length === 0 ? undefined : mapLines(entries, indent)
}

/** The first line of what is in the item stands behind the dash. */
function itemLines(item: unknown, indent: number): string[] {
  const margin = " ".repeat(indent)
  const below = blockLines(item, indent + 2)
  if (below === undefined) return [`${margin}- ${inline(item, indent + 2)}`]
  const [first = "", ...rest] = below
  return [`${margin}- ${first.slice(indent + 2)}`, ...rest]
}

function inline(value: unknown, indent: number): string {
  if (value === null || value === undefined) return "null"
  if (typeof value === "string") return yamlText(value, { indent })
  if (typeof value === "number") return showNumber(value)
  if (value instanceof Date) return dateText(value)
  if (Array.isArray(value)) return "[]"
  return typeof value === "object" ? "{}" : String(value)
}

function dateText(date: Date): string {
  return date.toISOString().replace(/\.000Z$/, "Z")
}
