import type { MouseEvent } from "../input/event.ts"
import type { Area } from "../screen/frame.ts"
import { changed, scrolled, withFiles } from "./fit.ts"
import { filesHead, LAYERS_HEAD, layoutOf } from "./layout.ts"
import { nodeAt, rowAfter, toggled, type Position } from "./listing.ts"
import { rowLines } from "./row-lines.ts"
import type { ExploreState } from "./state.ts"
import { still, type ExploreStep } from "./step.ts"
import { chooseLayer } from "./update-layers.ts"
import { openItem, scrollPage, withItem } from "./update-page.ts"

/** Rows that one step of the wheel scrolls. */
const WHEEL_ROWS = 3

/** The wheel scrolls what is under it; a click chooses, and a click on what is chosen opens it. */
export function clicked(state: ExploreState, event: MouseEvent): ExploreStep {
  const layout = layoutOf(state)
  const wheel = { "wheel-up": -WHEEL_ROWS, "wheel-down": WHEEL_ROWS }[event.action as string]
  if (state.page) {
    if (wheel !== undefined) return scrollPage(state, state.page, wheel)
    if (event.action !== "press" || event.button !== 0 || state.page.kind !== "list") return still(state)
    const item = state.page.top + event.row - 1
    if (event.row < 1 || item >= state.page.items.length) return still(state)
    const isChosen = item === state.page.at
    return isChosen ? openItem(state, state.page) : still({ ...state, page: withItem(state, state.page, item) })
  }
  if (wheel !== undefined) {
    if (isIn(layout.files, event)) return still(scrolled(state, wheel))
    return isIn(layout.layers, event) ? chooseLayer(state, state.layer + Math.sign(wheel)) : still(state)
  }
  if (event.action !== "press" || event.button !== 0 || state.edit) return still(state)
  if (isIn(layout.layers, event)) {
    const focused = withFiles({ ...state, focus: "layers" })
    const line = event.row - layout.layers.row - LAYERS_HEAD
    return line < 0 ? still(focused) : chooseLayer(focused, state.layerTop + line)
  }
  if (!isIn(layout.files, event)) return still(state)
  return still(clickedRow({ ...state, focus: "files" }, event.row - layout.files.row - filesHead(state)))
}

function clickedRow(state: ExploreState, line: number): ExploreState {
  const { listing, folds, top, cursor } = state.files
  let left = line
  let row: Position | undefined = left < 0 ? undefined : top
  while (row && left >= rowLines(state, row)) {
    left -= rowLines(state, row)
    row = rowAfter(listing, folds, row)
  }
  if (!row) return state
  const node = nodeAt(row)
  const isChosen = cursor !== undefined && nodeAt(cursor).path === node.path
  return withFiles(
    changed(state, isChosen && node.isDirectory ? { folds: toggled(folds, node.path) } : { cursor: row }),
  )
}

function isIn(area: Area | undefined, { row, column }: MouseEvent): area is Area {
  return (
    area !== undefined &&
    row >= area.row &&
    row < area.row + area.rows &&
    column >= area.column &&
    column < area.column + area.columns
  )
}
