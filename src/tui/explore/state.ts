import type { Change, CompareRange, ExploredImage, ExploredTree, Figures } from "../../explore/explore.ts"
import type { ScreenSize } from "../screen/size.ts"
import type { EditLine } from "./edit-line.ts"
import { firstRow, Listing, rowOf, type Folds, type Position } from "./listing.ts"
import type { Page } from "./page.ts"
import type { ExploreSettings } from "./settings.ts"

/** All that the screen shows is made of this. */
export interface ExploreState {
  readonly image: ExploredImage
  readonly settings: ExploreSettings
  /** Whether colours are shown; marks take their place. */
  readonly hasColour: boolean
  readonly size: ScreenSize
  readonly focus: "layers" | "files"
  /** Index of the layer that is looked at. */
  readonly layer: number
  /** The layer in the first line of their list. */
  readonly layerTop: number
  readonly isAggregated: boolean
  readonly files: FilesState
  /** Undefined until they are computed. */
  readonly figures: Figures | undefined
  /** The line that is typed now. */
  readonly edit: EditLine | undefined
  readonly filter: Filter | undefined
  readonly search: Search | undefined
  /** What lies over the views. */
  readonly page: Page | undefined
  /** What was done, or is wrong: until the next key. */
  readonly message: Message | undefined
  /** What is being done, that takes its time. */
  readonly working: string | undefined
}

export interface Message {
  text: string
  isError: boolean
}

/** The tree as it is shown. */
export interface FilesState {
  readonly listing: Listing
  readonly folds: Folds
  readonly hidden: ReadonlySet<Change>
  readonly bySize: boolean
  /** The row in the first line, and the one that is looked at: none where nothing is shown. */
  readonly top: Position | undefined
  readonly cursor: Position | undefined
  readonly hasAttributes: boolean
  /** Long rows go on in the next line. */
  readonly isWrapped: boolean
}

/** Only paths that an expression finds are shown. */
export interface Filter {
  text: string
  /** What it found in the tree that is shown; undefined while that is looked for. */
  found: ReadonlySet<string> | undefined
}

/** Paths that an expression finds, to go from one to the next. */
export interface Search {
  text: string
  /** Undefined while they are looked for. */
  paths: readonly string[] | undefined
}

/** An image before anybody has pressed a key. */
export function startState(
  image: ExploredImage,
  settings: ExploreSettings,
  size: ScreenSize,
  hasColour: boolean,
): ExploreState {
  const hidden = new Set(settings.hidden)
  const listing = listingOf(image, 0, settings.showAggregatedChanges, { hidden, bySize: false, found: undefined })
  const first = firstRow(listing)
  return {
    image,
    settings,
    hasColour,
    size,
    focus: "layers",
    layer: 0,
    layerTop: 0,
    isAggregated: settings.showAggregatedChanges,
    files: {
      listing,
      folds: { all: settings.collapseDirectories, except: new Set() },
      hidden,
      bySize: false,
      top: first,
      cursor: first,
      hasAttributes: settings.showAttributes,
      isWrapped: false,
    },
    figures: undefined,
    edit: undefined,
    filter: undefined,
    search: undefined,
    page: undefined,
    message: undefined,
    working: undefined,
  }
}

/** The layers that are compared: those from `since` to the chosen one are looked at as changes. The lowest has none below it. */
export function comparedSince(layer: number, isAggregated: boolean): number {
  return layer === 0 ? 0 : isAggregated ? 1 : layer
}

function listingOf(
  image: ExploredImage,
  layer: number,
  isAggregated: boolean,
  options: { hidden: ReadonlySet<Change>; bySize: boolean; found: ReadonlySet<string> | undefined },
): Listing {
  const range = { since: comparedSince(layer, isAggregated), upTo: layer }
  const tree = image.layers.length === 0 ? emptyTree(range) : image.tree(range)
  return new Listing(tree, { ...options, isLowest: layer === 0 })
}

/** Of an image without layers. */
function emptyTree(range: CompareRange): ExploredTree {
  return { range, node: () => undefined, children: () => [], matches: nothing, walk: nothing }
}

async function* nothing(): AsyncGenerator<never> {}

/** The same with another tree: of the layer that is chosen by now. */
export function withTree(state: ExploreState): ExploreState {
  const { image, layer, isAggregated, files } = state
  return withListing(
    state,
    listingOf(image, layer, isAggregated, { hidden: files.hidden, bySize: files.bySize, found: state.filter?.found }),
  )
}

/** The same tree, shown by what is hidden, found and sorted by now. */
export function relisted(state: ExploreState): ExploreState {
  const { listing, hidden, bySize } = state.files
  const { isLowest } = listing.options
  return withListing(state, new Listing(listing.tree, { hidden, bySize, found: state.filter?.found, isLowest }))
}

/** The cursor stays on its path, where that is still shown. */
function withListing(state: ExploreState, listing: Listing): ExploreState {
  const { files } = state
  const at = (row: Position | undefined) => (row ? rowOf(listing, row.list[row.index]?.path ?? "") : firstRow(listing))
  return { ...state, files: { ...files, listing, cursor: at(files.cursor), top: at(files.top) } }
}
