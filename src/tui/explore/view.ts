import { Frame, type Area } from "../screen/frame.ts"
import { fitted } from "../screen/glyphs.ts"
import { layoutOf, LEAST } from "./layout.ts"
import type { ExploreState } from "./state.ts"
import { drawFiles } from "./view-files.ts"
import { drawDetails, drawImage, drawLayers } from "./view-layers.ts"
import { drawPage } from "./view-page.ts"
import { drawStatus } from "./view-status.ts"
import { LOOKS } from "./looks.ts"

/** What the screen shows: a function of the state alone. */
export function view(state: ExploreState): Frame {
  const { rows, columns } = state.size
  const frame = new Frame(rows, columns)
  const layout = layoutOf(state)
  if (layout.isTooSmall) {
    const text = `too small: ${columns}×${rows}, at least ${LEAST.columns}×${LEAST.rows} is needed`
    frame.write(0, 0, fitted(text, columns), LOOKS.error)
    return frame
  }
  if (state.page) drawPage(frame, layout.page, state, state.page)
  else {
    if (layout.layers) drawLayers(frame, layout.layers, state)
    if (layout.details) drawDetails(frame, layout.details, state)
    if (layout.image) drawImage(frame, layout.image, state)
    if (layout.files) drawFiles(frame, layout.files, state)
  }
  if (layout.line) drawLine(frame, layout.line, state)
  drawStatus(frame, layout.status, state)
  return frame
}

const PROMPTS = { filter: "Filter", search: "Search", contents: "Search contents", extract: "Extract to" } as const

function drawLine(frame: Frame, area: Area, { edit, filter }: ExploreState): void {
  const prompt = `${PROMPTS[edit?.purpose ?? "filter"]}: `
  const after = frame.write(area.row, 0, prompt, LOOKS.head)
  if (!edit) {
    frame.write(area.row, after, fitted(filter?.text ?? "", area.columns - after))
    return
  }
  // what is left of the cursor is seen, to its last character
  const before = [...edit.text].slice(0, edit.at).join("")
  const room = area.columns - after - 1
  const cut = endOf(before, room)
  const at = frame.write(area.row, after, cut)
  frame.cursor = { row: area.row, column: Math.min(at, area.columns - 1) }
  frame.write(area.row, at, [...edit.text].slice(edit.at).join(""))
}

function endOf(text: string, columns: number): string {
  let kept = [...text]
  while (kept.length > 0 && fitted(kept.join(""), columns) !== kept.join("")) kept = kept.slice(1)
  return kept.join("")
}
