import type { Area, Frame } from "../screen/frame.ts"
import { fitted, shownWidth } from "../screen/glyphs.ts"
import { ACTIONS, firstKey, type Action } from "./bindings.ts"
import { LOOKS } from "./looks.ts"
import type { ExploreState } from "./state.ts"

const LAYER_KEYS: readonly Action[] = [
  "quit",
  "toggle-view",
  "filter-files",
  "compare-layer",
  "compare-all",
  "search-files",
  "help",
]
const FILE_KEYS: readonly Action[] = [
  "quit",
  "toggle-view",
  "filter-files",
  "toggle-collapse-dir",
  "toggle-collapse-all-dir",
  "view-file",
  "extract-file",
  "toggle-added-files",
  "toggle-removed-files",
  "toggle-modified-files",
  "toggle-unmodified-files",
  "toggle-filetree-attributes",
  "toggle-sort-order",
  "toggle-wrap-tree",
  "search-files",
  "file-history",
  "search-contents",
  "help",
]

/** What was done or is wrong, else the keys of the view; those that have no room are on the page of keys. */
export function drawStatus(frame: Frame, area: Area, state: ExploreState): void {
  const { message, working, settings } = state
  if (message)
    return void frame.write(area.row, 0, fitted(message.text, area.columns), message.isError ? LOOKS.error : LOOKS.head)
  if (working !== undefined)
    return void frame.write(area.row, 0, fitted(`${working} … (Esc ends it)`, area.columns), LOOKS.head)
  const help = `${firstKey(settings.bindings, "help")} Keys`
  const room = area.columns - shownWidth(help) - 2
  let column = 0
  for (const { key, label, isOn: isLit } of keysOf(state)) {
    if (column + shownWidth(key) + shownWidth(label) + 3 > room) break
    column = frame.write(area.row, column, "▏")
    column = frame.write(area.row, column, key, isLit ? LOOKS.on : LOOKS.head)
    column = frame.write(area.row, column, ` ${label} `, isLit ? LOOKS.on : LOOKS.faint)
  }
  frame.write(area.row, area.columns - shownWidth(help) - 1, `▏${help}`, LOOKS.head)
}

interface KeyText {
  key: string
  label: string
  isOn: boolean
}

function keysOf(state: ExploreState): KeyText[] {
  const { bindings } = state.settings
  if (state.edit)
    return [
      { key: "Enter", label: state.edit.purpose === "filter" ? "Keep" : "Go", isOn: false },
      { key: firstKey(bindings, "close-filter-files"), label: "Close", isOn: false },
    ]
  if (state.page) {
    const tab = { content: "Text, bytes, differences", lines: "Contents", list: "Differences" }[state.page.kind]
    const enter = state.page.kind === "list" ? [{ key: "Enter", label: "View", isOn: false }] : []
    return [
      { key: firstKey(bindings, "close-filter-files"), label: "Back", isOn: false },
      ...enter,
      { key: firstKey(bindings, "toggle-view"), label: tab, isOn: false },
      { key: firstKey(bindings, "quit"), label: "Quit", isOn: false },
    ]
  }
  const actions = state.focus === "layers" ? LAYER_KEYS : FILE_KEYS
  return actions
    .filter((action) => action !== "help")
    .map((action) => ({ key: firstKey(bindings, action), label: ACTIONS[action].label, isOn: isOn(state, action) }))
}

/** Whether what a key switches is on. */
function isOn({ isAggregated, files }: ExploreState, action: Action): boolean {
  switch (action) {
    case "compare-layer":
      return !isAggregated
    case "compare-all":
      return isAggregated
    case "toggle-added-files":
      return !files.hidden.has("added")
    case "toggle-removed-files":
      return !files.hidden.has("removed")
    case "toggle-modified-files":
      return !files.hidden.has("modified")
    case "toggle-unmodified-files":
      return !files.hidden.has("unmodified")
    case "toggle-filetree-attributes":
      return files.hasAttributes
    case "toggle-sort-order":
      return files.bySize
    case "toggle-wrap-tree":
      return files.isWrapped
    case "toggle-collapse-all-dir":
      return files.folds.all
    default:
      return false
  }
}
