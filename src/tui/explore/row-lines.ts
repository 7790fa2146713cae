import { shownWidth } from "../screen/glyphs.ts"
import { layoutOf } from "./layout.ts"
import { branchOf, isFolded, nodeAt, type Position } from "./listing.ts"
import { rawText } from "./raw-text.ts"
import type { ExploreState } from "./state.ts"

/** `-rwxr-xr-x`, owner, size: as wide as dive's columns. */
export const ATTRIBUTES_COLUMNS = 35
/** A narrower tree shows names alone, as dive's. */
const ATTRIBUTES_LEAST = 60
/** For a mark of the change, where there are no colours. */
export const MARK_COLUMNS = 2

/** The branch, the name and where it leads. */
export function rowText(state: ExploreState, row: Position): { branch: string; name: string } {
  const node = nodeAt(row)
  const isClosed = node.hasChildren && isFolded(state.files.folds, node.path)
  const { type, linkTarget } = node.entry
  const target = type === "symlink" || type === "hardlink" ? ` → ${rawText(linkTarget)}` : ""
  return { branch: branchOf(row, isClosed), name: `${rawText(node.name)}${target}` }
}

/** Columns before the branches. */
export function rowIndent({ files, hasColour }: ExploreState, columns: number): number {
  return (hasColour ? 0 : MARK_COLUMNS) + (files.hasAttributes && columns >= ATTRIBUTES_LEAST ? ATTRIBUTES_COLUMNS : 0)
}

/** How many lines a row takes: more than one only when long ones are wrapped. */
export function rowLines(state: ExploreState, row: Position): number {
  const area = layoutOf(state).files
  if (!state.files.isWrapped || !area) return 1
  const { branch, name } = rowText(state, row)
  const room = Math.max(1, area.columns - rowIndent(state, area.columns))
  return Math.max(1, Math.ceil((branch.length + shownWidth(name)) / room))
}
