/** Which rows are on the screen: the cursor always is. */
import { filesHead, layoutOf, LAYERS_HEAD } from "./layout.ts"
import { compareRows, firstRow, isFolded, nodeAt, rowAfter, rowBefore, rowsFurther, type Position } from "./listing.ts"
import { rowLines } from "./row-lines.ts"
import type { ExploreState, FilesState } from "./state.ts"

/** The same state with other things of the tree. */
export function changed(state: ExploreState, files: Partial<FilesState>): ExploreState {
  return { ...state, files: { ...state.files, ...files } }
}

/** Rows that the tree has room for. */
export function filesRows(state: ExploreState): number {
  return Math.max(1, (layoutOf(state).files?.rows ?? 2) - filesHead(state))
}

/** Layers that their list has room for. */
export function layersRows(state: ExploreState): number {
  return (layoutOf(state).layers?.rows ?? LAYERS_HEAD + 1) - LAYERS_HEAD
}

/** Scrolls the tree and leaves the cursor as near as it can. */
export function scrolled(state: ExploreState, count: number): ExploreState {
  const { listing, folds, top, cursor } = state.files
  if (!top || !cursor) return state
  const next = rowsFurther(listing, folds, top, count)
  const last = rowsFurther(listing, folds, next, filesRows(state) - 1)
  const kept = compareRows(cursor, next) < 0 ? next : compareRows(cursor, last) > 0 ? last : cursor
  return changed(state, { top: next, cursor: kept })
}

/** The cursor's row is on the screen, whole; of folded directories nothing inside is looked at. The layers' line too. */
export function withFiles(state: ExploreState): ExploreState {
  const { listing, folds } = state.files
  const cursor = outermost(state.files.cursor) ?? firstRow(listing)
  const top = outermost(state.files.top) ?? cursor
  if (!cursor || !top) return withLayers(changed(state, { cursor, top }))
  if (compareRows(cursor, top) <= 0) return withLayers(changed(state, { cursor, top: filledFrom(cursor) }))
  let room = filesRows(state) - rowLines(state, cursor)
  let highest = cursor
  for (let above = rowBefore(listing, folds, cursor); above; above = rowBefore(listing, folds, above)) {
    room -= rowLines(state, above)
    if (room < 0) break
    highest = above
  }
  return withLayers(changed(state, { cursor, top: filledFrom(compareRows(top, highest) < 0 ? highest : top) }))

  /** No lines stay blank at the end while there are rows above. */
  function filledFrom(first: Position): Position {
    let left = filesRows(state)
    for (let at: Position | undefined = first; at; at = rowAfter(listing, folds, at)) {
      left -= rowLines(state, at)
      if (left <= 0) return first
    }
    let filled = first
    for (let above = rowBefore(listing, folds, first); above; above = rowBefore(listing, folds, above)) {
      left -= rowLines(state, above)
      if (left < 0) break
      filled = above
    }
    return filled
  }

  function outermost(row: Position | undefined): Position | undefined {
    let outer = row
    for (let at = row?.parent; at; at = at.parent) if (isFolded(folds, nodeAt(at).path)) outer = at
    return outer
  }
}

/** The line of the chosen layer is among those that are shown. */
export function withLayers(state: ExploreState): ExploreState {
  const rows = Math.max(1, layersRows(state))
  const layerTop = Math.max(state.layer - rows + 1, Math.min(state.layerTop, state.layer))
  return layerTop === state.layerTop ? state : { ...state, layerTop }
}
