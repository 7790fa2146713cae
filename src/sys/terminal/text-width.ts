/** Columns that `text` takes on a terminal: 2 for wide characters, 0 for combining ones and for controls. */
export function textWidth(text: string): number {
  return Bun.stringWidth(text)
}
