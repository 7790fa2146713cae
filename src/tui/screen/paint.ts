import type { Frame } from "./frame.ts"
import { PLAIN, sgr } from "./style.ts"

/** Between two changes in a row so many unchanged cells are written again: that is shorter than to move the cursor. */
const SHORT_GAP = 4
/** ASCII, Latin letters, and what frames and branches are drawn with: one cell everywhere. */
const SURE = /^[\x20-\x7e\u00c0-\u024f\u2026\u2190-\u2193\u2295\u2500-\u257f\u258f\u25cf]$/

/**
 * The text that makes a terminal which shows `before` show `after`; one that shows nothing known, without `before`.
 * Terminals disagree how wide some characters are: after each that is not sure the cursor is told where it is.
 */
export function paint(before: Frame | undefined, after: Frame, hasColour: boolean): string {
  const isSame = before !== undefined && before.rows === after.rows && before.columns === after.columns
  let text = isSame ? "" : `${sgr(PLAIN, hasColour)}\x1b[2J`
  let look = PLAIN
  for (let row = 0; row < after.rows; row++) {
    const start = row * after.columns
    let at = -1 // the column that the cursor is known to be in; -1: unknown
    for (let column = 0; column < after.columns; column++) {
      const cell = start + column
      const glyph = after.glyphs[cell] ?? " "
      const style = after.styles[cell] ?? PLAIN
      if (glyph === "") continue // the second half of what stands before it
      if (!isChanged(isSame ? before : undefined, after, cell)) continue
      if (at >= 0 && column - at <= SHORT_GAP && isSure(start + at, cell))
        for (; at < column; at++) text += written(after.glyphs[start + at] ?? " ", after.styles[start + at] ?? PLAIN)
      else text += `\x1b[${row + 1};${column + 1}H`
      text += written(glyph, style)
      at = SURE.test(glyph) ? column + 1 : -1
    }
  }
  if (look !== PLAIN) text += sgr(PLAIN, hasColour)
  return text + cursorChange(isSame ? before : undefined, after, text !== "")

  function written(glyph: string, style: number): string {
    if (style === look) return glyph
    look = style
    return sgr(style, hasColour) + glyph
  }

  function isSure(from: number, to: number): boolean {
    return after.glyphs.slice(from, to).every((glyph) => SURE.test(glyph))
  }
}

function isChanged(before: Frame | undefined, after: Frame, cell: number): boolean {
  const glyph = before?.glyphs[cell] ?? " "
  const style = before?.styles[cell] ?? PLAIN
  if (glyph !== after.glyphs[cell] || style !== after.styles[cell]) return true
  // a wide character whose second half was another's
  return after.glyphs[cell + 1] === "" && before?.glyphs[cell + 1] !== ""
}

function cursorChange(before: Frame | undefined, after: Frame, hasMoved: boolean): string {
  const { cursor } = after
  if (!cursor) return before && !before.cursor ? "" : "\x1b[?25l"
  const isSame = before?.cursor?.row === cursor.row && before.cursor.column === cursor.column
  return isSame && !hasMoved ? "" : `\x1b[${cursor.row + 1};${cursor.column + 1}H\x1b[?25h`
}
