import { alignColumns, displayWidth, pad } from "./columns.ts"

const GAP = 2
/** No column gets narrower, even when its words must be cut for it. */
const LEAST_WIDTH = 6
/** That many rows tell how the columns are best narrowed. */
const SAMPLE_ROWS = 11

/**
 * A table for a terminal of `width` columns: as `alignColumns` where that fits; else the widest columns are narrowed, and their
 * cells go on in the lines below. The first line is the heading. Nothing is left out: a table that cannot fit stays too wide.
 */
export function fitColumns(lines: readonly string[], width: number): string[] {
  const aligned = alignColumns(lines)
  if (aligned.every((line) => displayWidth(line.trimEnd()) <= width)) return aligned
  const rows = lines.map((line) => line.split("\t"))
  const widths = narrowed(rows, width)
  return rows.flatMap((row) => {
    const cells = row.map((cell, column) => wrapCell(cell, widths[column] ?? 0))
    const height = Math.max(...cells.map((cell) => cell.length))
    return Array.from({ length: height }, (_, line) =>
      cells.map((cell, column) => pad(cell[line] ?? "", (widths[column] ?? 0) + GAP)).join(""),
    )
  })
}

/** A width for each column: taken from where it costs the fewest lines and cut words, of such from the widest, one by one. */
function narrowed(rows: readonly string[][], width: number): number[] {
  const columns = Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, column) =>
    rows.map((row) => row[column] ?? ""),
  )
  const widths = columns.map((cells) => Math.max(...cells.map(displayWidth)))
  const samples = columns.map((cells) => new Sample(cells.slice(0, SAMPLE_ROWS)))
  let excess = widths.reduce((sum, one) => sum + one, GAP * (widths.length - 1)) - width
  for (; excess > 0; excess--) {
    const costs = [...widths.entries()]
      .filter(([, one]) => one > LEAST_WIDTH)
      .map(([column, one]) => ({ column, one, cost: costOf(samples, widths.with(column, one - 1)) }))
    const [best] = costs.toSorted((a, b) => a.cost - b.cost || b.one - a.one)
    if (best === undefined) break
    widths[best.column] = best.one - 1
  }
  return widths
}

/** Lines that the rows take, and words that are cut. */
function costOf(samples: readonly Sample[], widths: readonly number[]): number {
  const columns = samples.map((sample, column) => sample.at(widths[column] ?? 0))
  const rows = columns[0]?.heights.length ?? 0
  let cost = columns.reduce((sum, { cut }) => sum + cut, 0)
  for (let row = 0; row < rows; row++) cost += Math.max(...columns.map(({ heights }) => heights[row] ?? 1))
  return cost
}

/** The cells of one column, measured once at each width. */
class Sample {
  readonly #cells: readonly { text: string; words: readonly number[] }[]
  readonly #measured = new Map<number, { heights: number[]; cut: number }>()

  constructor(cells: readonly string[]) {
    this.#cells = cells.map((text) => ({ text, words: wordsOf(text).map((word) => displayWidth(word.trimEnd())) }))
  }

  at(width: number): { heights: number[]; cut: number } {
    const known = this.#measured.get(width)
    if (known) return known
    const heights = this.#cells.map(({ text }) => wrapCell(text, width).length)
    const cut = this.#cells.reduce((sum, { words }) => sum + words.filter((word) => word > width).length, 0)
    const measured = { heights, cut }
    this.#measured.set(width, measured)
    return measured
  }
}

/** Where a cell may be broken: behind blanks, and inside of names and ports behind `/`, `,` and `->`. */
function wordsOf(text: string): string[] {
  return text.match(/.+?(?:\s+|->|[/,](?=\S)|$)/g) ?? [""]
}

function wrapCell(text: string, width: number): string[] {
  const lines = [""]
  for (const word of wordsOf(text).flatMap((one) => pieces(one, width))) {
    const last = lines.at(-1) ?? ""
    if (displayWidth((last + word).trimEnd()) <= width) lines[lines.length - 1] = last + word
    else lines.push(word)
  }
  return lines.map((line) => line.trimEnd())
}

/** A word too long for its column, cut. */
function pieces(word: string, width: number): string[] {
  if (displayWidth(word.trimEnd()) <= width) return [word]
  const characters = [...word]
  const cut: string[] = []
  while (characters.length > 0) cut.push(characters.splice(0, Math.max(1, width)).join(""))
  return cut
}
