import type { Action } from "./bindings.ts"
import type { ExploreEvent } from "./effects.ts"
import { layoutOf } from "./layout.ts"
import {
  BLOCK_BYTES,
  blockOf,
  HEX_BYTES,
  isBinary,
  type Block,
  type ContentPage,
  type LinesPage,
  type ListPage,
  type Page,
} from "./page.ts"
import { pathText } from "./raw-text.ts"
import type { ExploreState } from "./state.ts"
import { still, type ExploreStep } from "./step.ts"

/** Columns that one key scrolls to the side. */
const SIDE_COLUMNS = 8
const LINES_HEAD = 1

export function actOnPage(state: ExploreState, page: Page, action: Action | undefined, key: string): ExploreStep {
  if (action === "close-filter-files" || action === "help")
    return still({ ...state, page: undefined, working: undefined }, { kind: "cancel" })
  if (page.kind === "list") return actOnList(state, page, action, key)
  if (action === "toggle-view") return switchForm(state, page)
  if (action === "left" || action === "right") {
    const left = Math.max(0, page.left + (action === "left" ? -SIDE_COLUMNS : SIDE_COLUMNS))
    return still({ ...state, page: { ...page, left } })
  }
  const rows = pageRows(state)
  const by = { up: -1, down: 1, "page-up": -rows, "page-down": rows, top: -Infinity, bottom: Infinity }[
    action as string
  ]
  if (by === undefined) return still(state)
  return page.kind === "lines"
    ? still({ ...state, page: { ...page, top: bounded(page.top + by, page.lines.length - rows) } })
    : scrollContent(state, page, by)
}

/** Rows of what lies over the views, without its title. */
export function pageRows(state: ExploreState): number {
  return Math.max(1, layoutOf(state).page.rows - LINES_HEAD)
}

/** Scrolls a page by lines, as the wheel does. */
export function scrollPage(state: ExploreState, page: Page, by: number): ExploreStep {
  if (page.kind === "content") return scrollContent(state, page, by)
  if (page.kind === "list") return still({ ...state, page: withItem(state, page, page.at + by) })
  return still({ ...state, page: { ...page, top: bounded(page.top + by, page.lines.length - pageRows(state)) } })
}

function actOnList(state: ExploreState, page: ListPage, action: Action | undefined, key: string): ExploreStep {
  if (key === "enter") return openItem(state, page)
  const rows = pageRows(state)
  const by = { up: -1, down: 1, "page-up": -rows, "page-down": rows, top: -Infinity, bottom: Infinity }[
    action as string
  ]
  if (action === "toggle-view") {
    const place = page.items[page.at]?.place
    return place ? still({ ...state, working: "comparing" }, { kind: "compare", place }) : still(state)
  }
  return by === undefined ? still(state) : still({ ...state, page: withItem(state, page, page.at + by) })
}

/** Looks at the contents of the chosen one. */
export function openItem(state: ExploreState, page: ListPage): ExploreStep {
  const place = page.items[page.at]?.place
  if (!place) return still(state)
  const working = `reading ${pathText(place.path)}`
  return still({ ...state, working }, { kind: "read", place, offset: 0, isFirst: true, toLine: "first" })
}

/** With another item chosen, and on the screen. */
export function withItem(state: ExploreState, page: ListPage, wanted: number): ListPage {
  const at = bounded(wanted, page.items.length - 1)
  const rows = pageRows(state)
  return { ...page, at, top: Math.max(at - rows + 1, Math.min(page.top, at)) }
}

/** Text, then bytes, then what differs from below, and text again. */
function switchForm(state: ExploreState, page: ContentPage | LinesPage): ExploreStep {
  if (page.kind === "content" && page.form === "text") {
    const offset = (page.block?.offset ?? 0) + (page.block?.starts[page.top] ?? 0)
    return showing(state, { ...page, form: "hex", top: Math.floor(offset / HEX_BYTES) })
  }
  if (page.kind === "content") return still({ ...state, working: "comparing" }, { kind: "compare", place: page.place })
  if (!page.place) return still(state)
  const first = { kind: "read", place: page.place, offset: 0, isFirst: true, toLine: "first" } as const
  return still({ ...state, working: "reading" }, first)
}

function scrollContent(state: ExploreState, page: ContentPage, by: number): ExploreStep {
  const rows = pageRows(state)
  if (page.form === "hex") {
    const last = Math.ceil(page.sizeBytes / HEX_BYTES) - rows
    return showing(state, { ...page, top: bounded(page.top + by, last) })
  }
  const { block } = page
  if (!block) return still(state)
  const isStart = block.offset === 0
  const isEnd = block.offset + block.bytes.length >= page.sizeBytes
  if (by === -Infinity && !isStart) return reading(state, page, 0, "first")
  if (by === Infinity && !isEnd) return reading(state, page, Math.max(0, page.sizeBytes - BLOCK_BYTES), "last")
  const top = page.top + by
  if (top + rows > block.lines.length && !isEnd) {
    const line = bounded(top, block.lines.length - 1)
    return reading({ ...state, page: { ...page, top: line } }, page, block.offset + (block.starts[line] ?? 0), "first")
  }
  if (top < 0 && !isStart) return reading(state, page, Math.max(0, block.offset - BLOCK_BYTES / 2), "last")
  return still({ ...state, page: { ...page, top: bounded(top, block.lines.length - rows) } })
}

/** Reads what is to be seen when it is not there. */
function showing(state: ExploreState, page: ContentPage): ExploreStep {
  const { block } = page
  const from = page.top * HEX_BYTES
  const to = Math.min(page.sizeBytes, from + pageRows(state) * HEX_BYTES)
  const isThere = block && from >= block.offset && to <= block.offset + block.bytes.length
  if (isThere) return still({ ...state, page })
  return reading({ ...state, page }, page, Math.max(0, from - BLOCK_BYTES / 4), "first")
}

function reading(state: ExploreState, page: ContentPage, offset: number, toLine: "first" | "last"): ExploreStep {
  return still(state, { kind: "read", place: page.place, offset: Math.floor(offset), isFirst: false, toLine })
}

/** A part of the file has come. */
export function partCame(state: ExploreState, event: Extract<ExploreEvent, { kind: "read" }>): ExploreState {
  const { place, offset, bytes, sizeBytes, toLine } = event
  const title = `${pathText(place.path)} of layer ${place.layer + 1}`
  if (event.isFirst) {
    const block = blockOf(offset, bytes, false)
    const form = isBinary(bytes) ? "hex" : "text"
    const page: Page = { kind: "content", title, place, form, sizeBytes, block, top: 0, left: 0 }
    return { ...state, page, working: undefined }
  }
  const { page } = state
  if (page?.kind !== "content" || page.place.path !== place.path || page.place.layer !== place.layer) return state
  const block = blockOf(offset, bytes, toLine === "last" && offset > 0)
  if (page.form === "hex") return { ...state, page: { ...page, block }, working: undefined }
  return { ...state, page: { ...page, block, top: topOf(state, page, block, toLine) }, working: undefined }
}

function topOf(state: ExploreState, page: ContentPage, block: Block, toLine: "first" | "last"): number {
  if (toLine === "first") return 0
  const last = block.lines.length - pageRows(state)
  const isEnd = block.offset + block.bytes.length >= page.sizeBytes
  const before = page.block?.offset ?? 0
  if (isEnd && before < block.offset) return bounded(last, last)
  // the line that was first is the second now
  const line = block.starts.findIndex((start) => block.offset + start >= before)
  return bounded((line < 0 ? block.lines.length : line) - 1, last)
}

function bounded(value: number, most: number): number {
  return Math.max(0, Math.min(value, most))
}
