import { LinearExpression } from "../../base/linear-expression.ts"
import type { InputEvent } from "../input/event.ts"
import type { ScreenEvent } from "../screen/program.ts"
import { actionOf } from "./bindings.ts"
import type { ExploreEvent } from "./effects.ts"
import { edited, editLine, type EditLine } from "./edit-line.ts"
import { withFiles } from "./fit.ts"
import { goToFound } from "./found.ts"
import { contentPlace, still, type ExploreStep } from "./step.ts"
import { actOnFiles } from "./update-files.ts"
import { actOnLayers } from "./update-layers.ts"
import { clicked } from "./update-mouse.ts"
import { actOnPage, partCame } from "./update-page.ts"
import { helpPage } from "./help-page.ts"
import { relisted, type ExploreState } from "./state.ts"

/** Pure: the same state and event give the same. */
export function update(state: ExploreState, event: ExploreEvent | ScreenEvent): ExploreStep {
  switch (event.kind) {
    case "resize":
      return still(withFiles({ ...state, size: event.size }))
    case "key":
    case "paste":
      return typed({ ...state, message: undefined }, event)
    case "mouse":
      return clicked(state, event)
    case "figures":
      return still({ ...state, figures: event.figures })
    case "matched":
      return matched(state, event)
    case "read":
      return still(partCame(state, event))
    case "lines":
      return still({ ...state, page: event.page, working: undefined })
    case "list": {
      const { title, items } = event
      const message = event.message === undefined ? undefined : { text: event.message, isError: false }
      return still({ ...state, page: { kind: "list", title, items, at: 0, top: 0 }, working: undefined, message })
    }
    case "told":
      return still({ ...state, message: { text: event.text, isError: event.isError }, working: undefined })
  }
}

function typed(state: ExploreState, event: InputEvent): ExploreStep {
  if (state.edit) return typedInLine(state, state.edit, event)
  if (event.kind !== "key") return still(state)
  const place = state.page ? "page" : state.focus
  const action = actionOf(state.settings.bindings, event.key, place)
  if (action === "quit") return still(state, { kind: "quit" })
  if (action === "suspend") return still(state, { kind: "suspend" })
  if (state.page) return actOnPage(state, state.page, action, event.key)
  switch (action) {
    case undefined:
      return still(state)
    case "help":
      return still({ ...state, page: helpPage(state.settings.bindings) })
    case "toggle-view":
      return still(withFiles({ ...state, focus: state.focus === "layers" ? "files" : "layers" }))
    case "filter-files":
      return still(withFiles({ ...state, edit: editLine("filter", state.filter?.text) }))
    case "close-filter-files":
      return closeFilter(state)
    case "search-files":
      return still(withFiles({ ...state, edit: editLine("search") }))
    case "search-contents":
      return still(withFiles({ ...state, edit: editLine("contents") }))
    case "search-next":
    case "search-previous":
      return still(goToFound(state, action === "search-next" ? 1 : -1))
    default:
      return state.focus === "layers" ? actOnLayers(state, action) : actOnFiles(state, action)
  }
}

function closeFilter(state: ExploreState): ExploreStep {
  if (state.working !== undefined && !state.filter)
    return still({ ...state, working: undefined, message: { text: "stopped", isError: false } }, { kind: "cancel" })
  if (!state.filter) return still(state)
  return still(withFiles(relisted({ ...state, filter: undefined, working: undefined })), { kind: "cancel" })
}

function typedInLine(state: ExploreState, line: EditLine, event: InputEvent): ExploreStep {
  const key = event.kind === "key" ? event.key : ""
  if (key === "enter" || key === "ctrl+m") return entered({ ...state, edit: undefined }, line)
  if (key === "ctrl+c" || state.settings.bindings["close-filter-files"].includes(key)) {
    const closed = { ...state, edit: undefined }
    return line.purpose === "filter" ? closeFilter(closed) : still(withFiles(closed))
  }
  if (key === "tab" && line.purpose === "filter") return still(withFiles({ ...state, edit: undefined }))
  const next = edited(line, event)
  if (!next) return still(state)
  const changed = { ...state, edit: next }
  // the tree follows while a filter is typed
  return line.purpose === "filter" && next.text !== line.text ? filterBy(changed, next.text) : still(changed)
}

function entered(state: ExploreState, line: EditLine): ExploreStep {
  const { text, purpose } = line
  if (purpose === "filter") return still(withFiles(text === "" ? relisted({ ...state, filter: undefined }) : state))
  const closed = withFiles(state)
  if (text === "") return still(closed)
  const wrong = purpose === "extract" ? undefined : whyNoExpression(text)
  if (wrong !== undefined) return still({ ...closed, message: { text: wrong, isError: true } })
  const { tree } = state.files.listing
  if (purpose === "search")
    return still(
      { ...closed, search: { text, paths: undefined }, working: `searching "${text}"` },
      { kind: "match", purpose: "search", tree, text },
    )
  if (purpose === "contents")
    return still({ ...closed, working: `searching "${text}" in files` }, { kind: "contents", tree, text })
  const { cursor } = state.files
  const node = cursor?.list[cursor.index]
  if (!node) return still(closed)
  const place = contentPlace(state, node.path, node.layer, node.change === "removed")
  if (!place) return still({ ...closed, message: { text: "no layer has its contents", isError: true } })
  return still(
    { ...closed, working: `extracting to "${text}"` },
    { kind: "extract", place, mode: node.entry.mode, to: text },
  )
}

function filterBy(state: ExploreState, text: string): ExploreStep {
  if (text === "")
    return still(withFiles(relisted({ ...state, filter: undefined, working: undefined })), { kind: "cancel" })
  const wrong = whyNoExpression(text)
  const filter = { text, found: state.filter?.found }
  // it may become one: what was found before stays
  if (wrong !== undefined) return still({ ...state, filter, message: { text: wrong, isError: true } })
  return still(
    { ...state, filter, working: "filtering" },
    { kind: "match", purpose: "filter", tree: state.files.listing.tree, text },
  )
}

/** Undefined for what is a regular expression. */
function whyNoExpression(text: string): string | undefined {
  try {
    void new LinearExpression(text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function matched(state: ExploreState, event: Extract<ExploreEvent, { kind: "matched" }>): ExploreStep {
  const many = event.isCut ? { text: `only the first ${event.paths.length} are shown`, isError: true } : undefined
  if (event.purpose === "search") {
    if (state.search?.text !== event.text) return still(state)
    const found = { ...state, working: undefined, message: many, search: { text: event.text, paths: event.paths } }
    return still(goToFound(found, 1))
  }
  if (state.filter?.text !== event.text) return still(state) // another one was typed meanwhile
  const filter = { text: event.text, found: withParents(event.paths) }
  return still(withFiles(relisted({ ...state, filter, working: undefined, message: many })))
}

function withParents(paths: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const path of paths)
    for (let at = path; at !== "" && !found.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) found.add(at)
  return found
}
