import type { Change, TreeNode } from "../../explore/explore.ts"
import type { Action } from "./bindings.ts"
import { editLine } from "./edit-line.ts"
import { changed, filesRows, withFiles } from "./fit.ts"
import { shown } from "./found.ts"
import {
  firstRow,
  isFolded,
  lastRow,
  nodeAt,
  rowAfter,
  rowBefore,
  rowOf,
  rowsFurther,
  toggled,
  type Position,
} from "./listing.ts"
import { pathText } from "./raw-text.ts"
import { relisted, type ExploreState } from "./state.ts"
import { contentPlace, type ExploreStep } from "./step.ts"

const TOGGLED: Partial<Record<Action, Change>> = {
  "toggle-added-files": "added",
  "toggle-removed-files": "removed",
  "toggle-modified-files": "modified",
  "toggle-unmodified-files": "unmodified",
}

export function actOnFiles(state: ExploreState, action: Action): ExploreStep {
  const { files } = state
  const change = TOGGLED[action]
  if (change) return only(relisted(withHidden(state, change)))
  switch (action) {
    case "toggle-filetree-attributes":
      return only(changed(state, { hasAttributes: !files.hasAttributes }))
    case "toggle-wrap-tree":
      return only(changed(state, { isWrapped: !files.isWrapped }))
    case "toggle-sort-order":
      return only(relisted(changed(state, { bySize: !files.bySize })))
    case "toggle-collapse-all-dir":
      return only(foldAll(state))
    default:
      return files.cursor ? actOnRow(state, files.cursor, action) : { state, effects: [] }
  }
}

function actOnRow(state: ExploreState, cursor: Position, action: Action): ExploreStep {
  const { listing, folds } = state.files
  const node = nodeAt(cursor)
  const page = filesRows(state)
  const to = (row: Position | undefined) => only(row ? changed(state, { cursor: row }) : state)
  switch (action) {
    case "up":
      return to(rowBefore(listing, folds, cursor))
    case "down":
      return to(rowAfter(listing, folds, cursor))
    case "page-up":
      return to(rowsFurther(listing, folds, cursor, -page))
    case "page-down":
      return to(rowsFurther(listing, folds, cursor, page))
    case "top":
      return to(firstRow(listing))
    case "bottom":
      return to(lastRow(listing, folds))
    case "left":
      return to(cursor.parent)
    case "right":
      return only(into(state, cursor, node))
    case "toggle-collapse-dir":
      return only(node.isDirectory ? changed(state, { folds: toggled(folds, node.path) }) : state)
    case "view-file":
      return view(state, node)
    case "file-history":
      return {
        state: { ...state, working: "looking through the layers" },
        effects: [{ kind: "history", path: node.path }],
      }
    case "extract-file":
      return extract(state, node)
    default:
      return { state, effects: [] }
  }
}

/** A directory opens, and its first name is looked at. */
function into(state: ExploreState, cursor: Position, node: TreeNode): ExploreState {
  if (!node.isDirectory) return state
  const { folds, listing } = state.files
  const open = isFolded(folds, node.path) ? toggled(folds, node.path) : folds
  const inner = listing.list(node.path).length > 0 ? rowAfter(listing, open, cursor) : cursor
  return changed(state, { folds: open, cursor: inner ?? cursor })
}

function view(state: ExploreState, node: TreeNode): ExploreStep {
  // Enter and ^M are one byte in most terminals: what dive has ^M for is left to directories, which cannot be viewed
  if (node.isDirectory) return only(relisted(withHidden(state, "modified")))
  const { type, linkTarget } = node.entry
  if (type === "symlink") return goTo(state, node, linkTarget)
  if (type !== "file" && type !== "hardlink") return told(state, `${pathText(node.path)} has no contents: ${type}`)
  const place = contentPlace(state, node.path, node.layer, node.change === "removed")
  if (!place) return told(state, "no layer has its contents")
  return {
    state: { ...state, working: `reading ${pathText(node.path)}` },
    effects: [{ kind: "read", place, offset: 0, isFirst: true, toLine: "first" }],
  }
}

/** To what a symbolic link names, inside the tree; links on the way are not followed. */
function goTo(state: ExploreState, node: TreeNode, target: string): ExploreStep {
  const parts = target.startsWith("/") ? [] : node.path.split("/").slice(0, -1)
  for (const part of target.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  const path = parts.join("/")
  return {
    state: shown(state, path) ?? { ...state, message: { text: `${pathText(path)} is not shown`, isError: true } },
    effects: [],
  }
}

function extract(state: ExploreState, node: TreeNode): ExploreStep {
  const { type } = node.entry
  if (type !== "file" && type !== "hardlink")
    return told(state, `${pathText(node.path)} is no file: files are extracted, one at a time`)
  const name = pathText(node.path).split("/").at(-1) ?? ""
  // a name with bytes that no line can hold is given by who extracts it
  const offered = /^[^\p{C}]+$/u.test(name) && name !== ".." && name !== "." ? `./${name}` : "./"
  return only({ ...state, edit: editLine("extract", offered) })
}

function told(state: ExploreState, text: string): ExploreStep {
  return { state: { ...state, message: { text, isError: true } }, effects: [] }
}

/** All fold when one is open, else all open. */
function foldAll(state: ExploreState): ExploreState {
  const all = !state.files.folds.all
  const { listing, cursor } = state.files
  const [first] = cursor ? nodeAt(cursor).path.split("/") : []
  const row = all && first !== undefined ? rowOf(listing, first) : cursor
  return changed(state, { folds: { all, except: new Set() }, cursor: row, top: all ? row : state.files.top })
}

function withHidden(state: ExploreState, change: Change): ExploreState {
  const hidden = new Set(state.files.hidden)
  if (!hidden.delete(change)) hidden.add(change)
  return changed(state, { hidden })
}

function only(state: ExploreState): ExploreStep {
  return { state: withFiles(state), effects: [] }
}
