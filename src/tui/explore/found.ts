import { changed, withFiles } from "./fit.ts"
import { isFolded, nodeAt, rowOf, toggled } from "./listing.ts"
import { pathText } from "./raw-text.ts"
import type { ExploreState } from "./state.ts"

/** The next path that the search has found, or the one before, seen from the cursor; it begins again at the end. */
export function goToFound(state: ExploreState, direction: 1 | -1): ExploreState {
  const { search, files } = state
  if (!search?.paths) return { ...state, message: { text: "nothing is searched: / begins", isError: true } }
  const count = search.paths.length
  if (count === 0) return { ...state, message: { text: `"${search.text}" is found nowhere`, isError: true } }
  const here = files.cursor ? nodeAt(files.cursor).path : ""
  const after = search.paths.findIndex((path) => comparePaths(path, here) > 0)
  const exact = search.paths.indexOf(here)
  const next = direction === 1 ? (after < 0 ? 0 : after) : exact >= 0 ? exact - 1 : after < 0 ? count - 1 : after - 1
  const index = (next + count) % count
  const path = search.paths[index] ?? ""
  const place = `"${search.text}": ${index + 1} of ${count}`
  const found = shown({ ...state, focus: "files" }, path)
  if (!found) return { ...state, message: { text: `${pathText(path)} is found, and not shown`, isError: true } }
  return { ...found, message: { text: place, isError: false } }
}

/** The order of a tree: parents first, then by the bytes of names. */
function comparePaths(a: string, b: string): number {
  const [one, other] = [a.split("/"), b.split("/")]
  for (let depth = 0; depth < Math.min(one.length, other.length); depth++) {
    const [left = "", right = ""] = [one[depth], other[depth]]
    if (left !== right) return left < right ? -1 : 1
  }
  return one.length - other.length
}

/** With the cursor on a path, and the directories on its way open; undefined when it is not shown. */
export function shown(state: ExploreState, path: string): ExploreState | undefined {
  const { listing } = state.files
  const row = rowOf(listing, path)
  if (!row || nodeAt(row).path !== path) return undefined
  let { folds } = state.files
  for (let at = row.parent; at; at = at.parent)
    if (isFolded(folds, nodeAt(at).path)) folds = toggled(folds, nodeAt(at).path)
  return withFiles(changed(state, { folds, cursor: row }))
}
