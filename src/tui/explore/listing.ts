/** The rows of a tree, walked from where one is: whatever the tree holds, only the directories on the way are read. */
import type { Change, ExploredTree, TreeNode } from "../../explore/explore.ts"

/** What of a tree is shown, and in which order. */
export interface ListingOptions {
  hidden: ReadonlySet<Change>
  bySize: boolean
  /** Paths that a filter found, with those of their parents; undefined: no filter. */
  found: ReadonlySet<string> | undefined
  /** Nothing is below: then all is as it is, as dive shows the first layer. */
  isLowest: boolean
}

/** Directories that are folded: all but `except`, or none but `except`. */
export interface Folds {
  all: boolean
  except: ReadonlySet<string>
}

/** One row: a node among those that stand beside it. */
export interface Position {
  readonly list: readonly TreeNode[]
  readonly index: number
  readonly parent: Position | undefined
}

/** Lists are kept for directories that were looked into lately. */
const MOST_KEPT = 1000

/** A tree with what is shown of it. */
export class Listing {
  readonly tree: ExploredTree
  readonly options: ListingOptions
  readonly #lists = new Map<string, readonly TreeNode[]>()

  constructor(tree: ExploredTree, options: ListingOptions) {
    this.tree = tree
    this.options = options
  }

  changeOf(node: TreeNode): Change {
    return this.options.isLowest ? "unmodified" : node.change
  }

  /** The nodes of a directory that are shown. */
  list(path: string): readonly TreeNode[] {
    let list = this.#lists.get(path)
    if (!list) {
      if (this.#lists.size >= MOST_KEPT) this.#lists.clear()
      list = this.#ordered(this.tree.children(path).filter((node) => this.#isShown(node)))
      this.#lists.set(path, list)
    }
    return list
  }

  #isShown(node: TreeNode): boolean {
    const { hidden, found } = this.options
    if (found && !found.has(node.path)) return false
    return hidden.size === 0 || !hidden.has(this.changeOf(node))
  }

  #ordered(nodes: TreeNode[]): TreeNode[] {
    return this.options.bySize ? nodes.toSorted((a, b) => b.sizeBytes - a.sizeBytes) : nodes
  }
}

export function nodeAt({ list, index }: Position): TreeNode {
  const node = list[index]
  if (!node) throw new RangeError(`no row ${index} of ${list.length}`)
  return node
}

export function isFolded(folds: Folds, path: string): boolean {
  return folds.all !== folds.except.has(path)
}

/** The same folds but for one directory. */
export function toggled({ all, except }: Folds, path: string): Folds {
  const next = new Set(except)
  if (!next.delete(path)) next.add(path)
  return { all, except: next }
}

/** The first row; undefined when there is none. */
export function firstRow(listing: Listing): Position | undefined {
  return rowIn(listing.list(""), 0, undefined)
}

/** The last one. */
export function lastRow(listing: Listing, folds: Folds): Position | undefined {
  const list = listing.list("")
  const last = rowIn(list, list.length - 1, undefined)
  return last && deepest(listing, folds, last)
}

/** The row below; undefined at the end. */
export function rowAfter(listing: Listing, folds: Folds, from: Position): Position | undefined {
  const inner = inside(listing, folds, from)
  if (inner.length > 0) return rowIn(inner, 0, from)
  for (let at: Position | undefined = from; at; at = at.parent)
    if (at.index + 1 < at.list.length) return rowIn(at.list, at.index + 1, at.parent)
  return undefined
}

/** The row above; undefined at the beginning. */
export function rowBefore(listing: Listing, folds: Folds, from: Position): Position | undefined {
  if (from.index === 0) return from.parent
  const beside = rowIn(from.list, from.index - 1, from.parent)
  return beside && deepest(listing, folds, beside)
}

/** `count` rows further, up when it is below 0, or as far as there are. */
export function rowsFurther(listing: Listing, folds: Folds, from: Position, count: number): Position {
  let at = from
  for (let left = Math.abs(count); left > 0; left--) {
    const next = count > 0 ? rowAfter(listing, folds, at) : rowBefore(listing, folds, at)
    if (!next) break
    at = next
  }
  return at
}

/** The row of a path; where it is not shown, that of the nearest parent which is; the first row else. */
export function rowOf(listing: Listing, path: string): Position | undefined {
  let at: Position | undefined
  let here = ""
  for (const part of path.split("/")) {
    here = here === "" ? part : `${here}/${part}`
    const list = listing.list(at ? nodeAt(at).path : "")
    const next = rowIn(
      list,
      list.findIndex((node) => node.path === here),
      at,
    )
    if (!next) break
    at = next
  }
  return at ?? firstRow(listing)
}

/** Less than 0 when `a` is above `b`. */
export function compareRows(a: Position, b: Position): number {
  const [one, other] = [placesOf(a), placesOf(b)]
  for (let depth = 0; depth < Math.min(one.length, other.length); depth++) {
    const difference = (one[depth] ?? 0) - (other[depth] ?? 0)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

/** The lines that lead to a row, as `tree` draws them. */
export function branchOf(row: Position, isClosed: boolean): string {
  let branch = `${isLast(row) ? "└" : "├"}${isClosed ? "─⊕ " : "── "}`
  for (let at = row.parent; at; at = at.parent) branch = `${isLast(at) ? "    " : "│   "}${branch}`
  return branch
}

function isLast({ list, index }: Position): boolean {
  return index === list.length - 1
}

function rowIn(list: readonly TreeNode[], index: number, parent: Position | undefined): Position | undefined {
  return index >= 0 && index < list.length ? { list, index, parent } : undefined
}

function inside(listing: Listing, folds: Folds, row: Position): readonly TreeNode[] {
  const node = nodeAt(row)
  return node.hasChildren && !isFolded(folds, node.path) ? listing.list(node.path) : []
}

function deepest(listing: Listing, folds: Folds, from: Position): Position {
  for (let at = from; ;) {
    const list = inside(listing, folds, at)
    const last = rowIn(list, list.length - 1, at)
    if (!last) return at
    at = last
  }
}

function placesOf(row: Position): number[] {
  const places: number[] = []
  for (let at: Position | undefined = row; at; at = at.parent) places.push(at.index)
  return places.toReversed()
}
