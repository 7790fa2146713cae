import { glyphs } from "./glyphs.ts"
import { PLAIN, type Style } from "./style.ts"

/** A part of the screen: rows and columns from its top left corner on, which is 0, 0 of the screen. */
export interface Area {
  row: number
  column: number
  rows: number
  columns: number
}

/** One picture of the whole screen, cell by cell. A wide character has its second cell empty. */
export class Frame {
  readonly rows: number
  readonly columns: number
  /** Row by row. */
  readonly glyphs: string[]
  readonly styles: Uint16Array
  /** Where the cursor stands; there is none to be seen without. */
  cursor: { row: number; column: number } | undefined

  constructor(rows: number, columns: number) {
    this.rows = rows
    this.columns = columns
    this.glyphs = Array.from<string>({ length: rows * columns }).fill(" ")
    this.styles = new Uint16Array(rows * columns)
  }

  /** Writes text from a cell on, as far as `end` (a column), and no further. Gives the column after it. */
  write(row: number, column: number, text: string, style: Style = PLAIN, end = this.columns): number {
    const last = Math.min(end, this.columns)
    if (row < 0 || row >= this.rows) return column
    let at = column
    for (const { text: glyph, width } of glyphs(text)) {
      if (at + width > last) return at
      if (at < 0) {
        at += width
        continue
      }
      const cell = row * this.columns + at
      this.glyphs[cell] = glyph
      this.styles[cell] = style
      if (width === 2) {
        this.glyphs[cell + 1] = ""
        this.styles[cell + 1] = style
      }
      at += width
    }
    return at
  }

  /** Gives cells a look, whatever they show. */
  tint(row: number, from: number, to: number, style: Style): void {
    if (row < 0 || row >= this.rows) return
    const start = row * this.columns
    this.styles.fill(style, start + Math.max(0, from), start + Math.min(to, this.columns))
  }

  /** What a row shows, for tests and logs. */
  line(row: number): string {
    return this.glyphs.slice(row * this.columns, (row + 1) * this.columns).join("")
  }
}
