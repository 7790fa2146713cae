import { formatSize } from "../../base/sizes.ts"
import type { Area, Frame } from "../screen/frame.ts"
import { fitted, glyphs } from "../screen/glyphs.ts"
import { PLAIN } from "../screen/style.ts"
import { drawTitle, LOOKS } from "./looks.ts"
import { HEX_BYTES, hexRow, type ContentPage, type Page } from "./page.ts"
import type { ExploreState } from "./state.ts"

/** What lies over the views. */
export function drawPage(frame: Frame, area: Area, _state: ExploreState, page: Page): void {
  const rows = area.rows - 1
  if (page.kind === "content") return drawContent(frame, area, page)
  drawTitle(frame, area, page.title, true)
  const lines = page.kind === "list" ? page.items : page.lines
  const left = page.kind === "list" ? 0 : page.left
  for (let line = 0; line < rows; line++) {
    const one = lines[page.top + line]
    if (!one) break
    const isChosen = page.kind === "list" && page.top + line === page.at
    const text = fitted(withoutStart(one.text, left), area.columns)
    frame.write(
      area.row + 1 + line,
      area.column,
      isChosen ? text.padEnd(area.columns) : text,
      isChosen ? LOOKS.chosen : one.style,
    )
  }
}

function drawContent(frame: Frame, area: Area, page: ContentPage): void {
  drawTitle(frame, area, `${page.title}  ${formatSize(page.sizeBytes)}  ${page.form}`, true)
  const { block } = page
  if (!block) return
  if (page.sizeBytes === 0) frame.write(area.row + 1, area.column, "an empty file", LOOKS.faint)
  for (let line = 0; line < area.rows - 1; line++) {
    const text = page.form === "hex" ? hexLine(page, page.top + line) : block.lines[page.top + line]
    if (text === undefined) break
    frame.write(area.row + 1 + line, area.column, fitted(withoutStart(text, page.left), area.columns), PLAIN)
  }
}

function hexLine({ block, sizeBytes }: ContentPage, line: number): string | undefined {
  const offset = line * HEX_BYTES
  if (!block || offset >= sizeBytes) return undefined
  const start = offset - block.offset
  if (start < 0 || start >= block.bytes.length) return undefined
  return hexRow(offset, block.bytes.subarray(start, start + HEX_BYTES))
}

/** What is seen when columns are scrolled out at the left. */
function withoutStart(text: string, columns: number): string {
  if (columns === 0) return text
  let left = columns
  let kept = ""
  for (const { text: glyph, width } of glyphs(text)) {
    if (left <= 0) kept += glyph
    left -= width
  }
  return kept
}
