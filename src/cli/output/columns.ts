/** How wide a column is at least, and how many blanks stand between two: as Go's tabwriter is told. */
export interface ColumnStyle {
  least: number
  gap: number
}

/** Docker's tables. */
const DOCKER_COLUMNS: ColumnStyle = { least: 10, gap: 3 }
/** Podman's. */
export const PODMAN_COLUMNS: ColumnStyle = { least: 12, gap: 2 }

/** Lines of cells, the last one open. */
export function alignColumns(lines: readonly string[], style: ColumnStyle = DOCKER_COLUMNS): string[] {
  // of plain text the length is the width: looking at each cell would cost more than all else of a long list
  const isPlain = lines.every((line) => PLAIN_LINE.test(line))
  return alignCells(
    lines.map((line) => line.split("\t")),
    style,
    isPlain ? textLength : displayWidth,
  )
}

/** The same, of cells that are cut already. `widthOf`: `textLength` where all of them are plain ASCII. */
export function alignCells(
  rows: readonly (readonly string[])[],
  { least, gap }: ColumnStyle = DOCKER_COLUMNS,
  widthOf: (cell: string) => number = displayWidth,
): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (let column = 0; column < row.length - 1; column++) {
      const width = widthOf(row[column] ?? "") + gap
      if (width > (widths[column] ?? least)) widths[column] = width
      else widths[column] ??= least
    }
  return rows.map((row) => {
    let line = ""
    for (let column = 0; column < row.length - 1; column++) {
      const cell = row[column] ?? ""
      // characters may be wider than one column
      line += cell.padEnd((widths[column] ?? 0) - widthOf(cell) + cell.length)
    }
    return line + (row.at(-1) ?? "")
  })
}

/** The width of plain ASCII. */
export function textLength(cell: string): number {
  return cell.length
}

const PLAIN_LINE = /^[\x20-\x7e\t]*$/

/** Fills up to `width` columns of the terminal. */
export function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - displayWidth(cell)))
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]/u

/** Columns that a terminal gives to `text`: wide characters take two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return [...text].reduce((sum, character) => sum + (/\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0)
}
