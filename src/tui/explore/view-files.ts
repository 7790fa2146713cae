import { formatSize } from "../../base/sizes.ts"
import type { LayerEntry, TreeNode } from "../../explore/explore.ts"
import type { Area, Frame } from "../screen/frame.ts"
import { fitted, shownWidth } from "../screen/glyphs.ts"
import { PLAIN } from "../screen/style.ts"
import { filesHead } from "./layout.ts"
import { nodeAt, rowAfter, type Position } from "./listing.ts"
import { changeLook, drawTitle, LOOKS, MARKS } from "./looks.ts"
import { ATTRIBUTES_COLUMNS, MARK_COLUMNS, rowIndent, rowLines, rowText } from "./row-lines.ts"
import type { ExploreState } from "./state.ts"

const OWNER_COLUMNS = 11
const SIZE_COLUMNS = 10

/** The tree of the chosen layers. */
export function drawFiles(frame: Frame, area: Area, state: ExploreState): void {
  const { files, isAggregated } = state
  const isFocused = state.focus === "files"
  drawTitle(frame, area, isAggregated ? "Aggregated Layer Contents" : "Current Layer Contents", isFocused)
  if (files.hasAttributes) drawHead(frame, area, state)
  const end = area.row + area.rows
  let row = area.row + filesHead(state)
  if (!files.top) {
    frame.write(row, area.column, fitted(whyEmpty(state), area.columns), LOOKS.faint)
    return
  }
  let at: Position | undefined = files.top
  const chosen = files.cursor && nodeAt(files.cursor).path
  while (at && row < end) {
    const isChosen = nodeAt(at).path === chosen
    row = drawRow(frame, { ...area, row, rows: end - row }, state, at, isChosen && isFocused)
    at = rowAfter(files.listing, files.folds, at)
  }
}

function whyEmpty({ filter, files }: ExploreState): string {
  if (filter) return filter.found ? "nothing is found" : "filtering …"
  return files.hidden.size > 0 ? `nothing is shown: ${[...files.hidden].join(", ")} hidden` : "no files"
}

function drawHead(frame: Frame, area: Area, state: ExploreState): void {
  const mark = state.hasColour ? "" : " ".repeat(MARK_COLUMNS)
  const hasRoom = rowIndent(state, area.columns) > MARK_COLUMNS
  const columns = hasRoom
    ? `${"Permission".padEnd(10)} ${"UID:GID".padStart(OWNER_COLUMNS)} ${"Size".padStart(SIZE_COLUMNS)}  `
    : ""
  frame.write(area.row + 1, area.column, `${mark}${columns}Filetree`, LOOKS.head, area.column + area.columns)
}

/** Gives the row after. */
function drawRow(frame: Frame, area: Area, state: ExploreState, row: Position, isChosen: boolean): number {
  const node = nodeAt(row)
  const change = state.files.listing.changeOf(node)
  const look = changeLook(change, isChosen)
  const end = area.column + area.columns
  const indent = rowIndent(state, area.columns)
  let at = area.column
  if (!state.hasColour) at = frame.write(area.row, at, MARKS[change].padEnd(MARK_COLUMNS), PLAIN, end)
  if (indent >= ATTRIBUTES_COLUMNS) at = frame.write(area.row, at, attributesOf(node), look, end)
  const { branch, name } = rowText(state, row)
  const room = Math.max(1, area.columns - indent)
  const lines = rowLines(state, row)
  if (lines === 1) {
    at = frame.write(area.row, at, fitted(branch, end - at), PLAIN, end)
    frame.write(area.row, at, fitted(name, end - at), look, end)
    return area.row + 1
  }
  let rest = `${branch}${name}`
  for (let line = 0; line < lines && line < area.rows && rest !== ""; line++) {
    let part = rest.slice(0, room)
    while (part.length > 1 && shownWidth(part) > room) part = part.slice(0, -1)
    frame.write(area.row + line, area.column + indent, part, look, end)
    rest = rest.slice(part.length)
  }
  return area.row + lines
}

function attributesOf(node: TreeNode): string {
  const { entry } = node
  const owner = entry.isImplied ? "" : `${entry.uid}:${entry.gid}`
  const size = formatSize(node.sizeBytes)
  return `${modeText(entry)} ${owner.padStart(OWNER_COLUMNS)} ${size.padStart(SIZE_COLUMNS)}  `
}

const TYPES: Readonly<Record<LayerEntry["type"], string>> = {
  file: "-",
  hardlink: "-",
  directory: "d",
  symlink: "L",
  fifo: "p",
  character: "c",
  block: "b",
}

/** As `ls -l` shows a mode; a symbolic link is `L`, as dive has it. */
export function modeText({ type, mode, isImplied }: LayerEntry): string {
  if (isImplied) return `${TYPES[type]}?????????`
  const bits = [6, 3, 0].map((shift) => [mode >> shift, "rwx"] as const)
  const letters = bits.flatMap(([three]) => [three & 4 ? "r" : "-", three & 2 ? "w" : "-", three & 1 ? "x" : "-"])
  for (const [bit, place, letter] of [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const)
    if (mode & bit) letters[place] = letters[place] === "x" ? letter : letter.toUpperCase()
  return `${TYPES[type]}${letters.join("")}`
}
