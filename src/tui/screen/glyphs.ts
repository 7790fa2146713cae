import { textWidth } from "../../sys/terminal/text-width.ts"

/** What one cell, or two beside each other, show: a character with the marks that belong to it. */
export interface Glyph {
  text: string
  width: 1 | 2
}

/** More marks than that on one character are in no language; terminals draw them over their neighbours. */
const MAX_UNITS = 16
const ASCII = /^[\x20-\x7e]*$/
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })

/**
 * Text in pieces that a cell can hold. Whatever a terminal could obey, or would not show, becomes a visible code: controls,
 * escapes, newlines, marks of direction, and spaces of no width. So nothing of an image's content reaches the terminal as an order.
 */
export function* glyphs(text: string): Generator<Glyph> {
  if (ASCII.test(text)) {
    for (const character of text) yield { text: character, width: 1 }
    return
  }
  for (const { segment } of segmenter.segment(text.toWellFormed())) {
    const width = textWidth(segment)
    if (width === 0 || CONTROL.test(segment)) yield* codesOf(segment)
    else yield { text: shortened(segment), width: width >= 2 ? 2 : 1 }
  }
}

/** Columns that `glyphs` of this text take. */
export function shownWidth(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const glyph of glyphs(text)) width += glyph.width
  return width
}

/** The text's end is left out, and marked, where it is wider than `columns`. */
export function fitted(text: string, columns: number): string {
  if (text.length <= columns && ASCII.test(text)) return text
  let kept = ""
  let width = 0
  let lastFit = ""
  for (const glyph of glyphs(text)) {
    if (width + glyph.width > columns) return columns <= 0 ? "" : `${lastFit}…`
    kept += glyph.text
    width += glyph.width
    if (width < columns) lastFit = kept
  }
  return kept
}

function* codesOf(segment: string): Generator<Glyph> {
  for (const character of segment) {
    const code = character.codePointAt(0) ?? 0
    const shown = code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`
    for (const one of shown) yield { text: one, width: 1 }
  }
}

function shortened(cluster: string): string {
  return cluster.length <= MAX_UNITS
    ? cluster
    : cluster
        .slice(0, MAX_UNITS)
        .toWellFormed()
        .replace(/\ufffd$/, "")
}
