import { isTree, textAt, textsAt, type Tree } from "../../field.ts"

/** `Name:   web`, aligned; sections below their heads, two blanks in for each level. */
export class Lines {
  readonly #rows: { level: number; head: string; value?: string; table?: readonly (readonly string[])[] }[] = []

  pair(head: string, value: unknown, level = 0): void {
    this.#rows.push({ level, head: `${head}:`, value: value === undefined || value === "" ? "" : String(value) })
  }

  /** A line alone. */
  line(text: string, level = 0): void {
    this.#rows.push({ level, head: text })
  }

  /** A table below its head; `<none>` for an empty one. */
  section(head: string, table: readonly (readonly string[])[], level = 0): void {
    if (table.length === 0) this.pair(head, "<none>", level)
    else {
      this.line(`${head}:`, level)
      this.#rows.push({ level: level + 1, head: "", table })
    }
  }

  /** A table alone. */
  table(table: readonly (readonly string[])[], level = 0): void {
    this.#rows.push({ level, head: "", table })
  }

  /** Texts below each other. */
  texts(head: string, texts: readonly string[], level = 0): void {
    if (texts.length === 0) return this.pair(head, "<none>", level)
    for (const [index, text] of texts.entries()) {
      if (index === 0) this.pair(head, text, level)
      else this.#rows.push({ level, head: "", value: text })
    }
  }

  map(head: string, map: Readonly<Record<string, string>>, separator = "=", level = 0): void {
    const all = Object.entries(map)
      .filter(([key]) => key !== "kubectl.kubernetes.io/last-applied-configuration")
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
    this.texts(
      head,
      all.map(([key, value]) => `${key}${separator}${value}`),
      level,
    )
  }

  name(object: Tree): void {
    this.pair("Name", textAt(object, "metadata", "name"))
    const namespace = textAt(object, "metadata", "namespace")
    if (namespace !== "") this.pair("Namespace", namespace)
    this.map("Labels", textsAt(object, "metadata", "labels"))
    this.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  }

  /** Any value, level by level. */
  value(head: string, value: unknown, level = 0): void {
    if (Array.isArray(value)) {
      if (value.length === 0) return
      this.line(`${head}:`, level)
      for (const item of value) {
        if (isTree(item)) for (const [key, one] of Object.entries(item)) this.value(titled(key), one, level + 1)
        else this.line(String(item), level + 1)
      }
    } else if (isTree(value)) {
      this.line(`${head}:`, level)
      for (const [key, one] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        this.value(titled(key), one, level + 1)
    } else this.pair(head, value, level)
  }

  text(): string {
    const widths = new Map<number, number>()
    const rows = this.#rows
    const width = (from: number): number => {
      // pairs of one level, one after the other, stand below each other
      const { level = 0 } = rows[from] ?? {}
      let start = from
      while (start > 0 && belongs(rows[start - 1], level)) start--
      const known = widths.get(start)
      if (known !== undefined) return known
      let longest = 0
      for (let at2 = start; belongs(rows[at2], level); at2++) {
        const row = rows[at2]
        if (row?.level === level && row.value !== undefined) longest = Math.max(longest, row.head.length)
      }
      widths.set(start, longest)
      return longest
    }
    return `${rows
      .flatMap((row, index) => {
        const indent = "  ".repeat(row.level)
        if (row.table) return aligned(row.table).map((line) => indent + line)
        if (row.value === undefined) return [indent + row.head]
        return row.value
          .split("\n")
          .map((line, at3) => `${indent}${(at3 === 0 ? row.head : "").padEnd(width(index))}  ${line}`.trimEnd())
      })
      .join("\n")}\n`
  }
}

function belongs(row: { level: number } | undefined, level: number): boolean {
  return row !== undefined && row.level >= level
}

function titled(key: string): string {
  return key.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replace(/^./, (letter) => letter.toUpperCase())
}

/** Columns two blanks apart. */
export function aligned(table: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of table)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  return table.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 2)))
      .join("")
      .trimEnd(),
  )
}
