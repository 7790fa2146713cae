import { parseKeys, shownKey } from "../input/key-name.ts"

/** Where a key means something: also while a file is looked at (`page`), in every view, in one of both. */
export type Place = "everywhere" | "views" | "layers" | "files"

interface ActionText {
  keys: string
  place: Place
  /** As the line of keys has it. */
  label: string
}

/** What keys do, by dive's names of its settings (`keybinding.NAME`), and with its keys; then what dive has not. */
export const ACTIONS = {
  quit: { keys: "ctrl+c,q", place: "everywhere", label: "Quit" },
  "toggle-view": { keys: "tab", place: "everywhere", label: "Switch view" },
  "filter-files": { keys: "ctrl+f,ctrl+slash", place: "views", label: "Filter" },
  "close-filter-files": { keys: "esc", place: "everywhere", label: "Close" },
  up: { keys: "up,k", place: "everywhere", label: "Up" },
  down: { keys: "down,j", place: "everywhere", label: "Down" },
  left: { keys: "left,h", place: "everywhere", label: "To the parent" },
  right: { keys: "right,l", place: "everywhere", label: "Into" },
  "page-up": { keys: "pgup,u", place: "everywhere", label: "Page up" },
  "page-down": { keys: "pgdn,d", place: "everywhere", label: "Page down" },
  "compare-layer": { keys: "ctrl+l", place: "layers", label: "Layer changes" },
  "compare-all": { keys: "ctrl+a", place: "layers", label: "Aggregated changes" },
  "toggle-collapse-dir": { keys: "space", place: "files", label: "Fold" },
  "toggle-collapse-all-dir": { keys: "ctrl+space", place: "files", label: "Fold all" },
  "toggle-added-files": { keys: "ctrl+a", place: "files", label: "Added" },
  "toggle-removed-files": { keys: "ctrl+r", place: "files", label: "Removed" },
  "toggle-modified-files": { keys: "ctrl+m", place: "files", label: "Modified" },
  "toggle-unmodified-files": { keys: "ctrl+u", place: "files", label: "Unmodified" },
  "toggle-filetree-attributes": { keys: "ctrl+b", place: "files", label: "Attributes" },
  "toggle-wrap-tree": { keys: "ctrl+p", place: "files", label: "Wrap" },
  "toggle-sort-order": { keys: "ctrl+o", place: "files", label: "Sort by size" },
  "extract-file": { keys: "ctrl+e,x", place: "files", label: "Extract" },
  "view-file": { keys: "enter,v", place: "files", label: "View" },
  "file-history": { keys: "H", place: "files", label: "History" },
  "search-files": { keys: "/", place: "views", label: "Search" },
  "search-next": { keys: "n", place: "views", label: "Next found" },
  "search-previous": { keys: "N", place: "views", label: "Previous found" },
  "search-contents": { keys: "ctrl+g", place: "views", label: "Search contents" },
  top: { keys: "home,g", place: "everywhere", label: "First" },
  bottom: { keys: "end,G", place: "everywhere", label: "Last" },
  help: { keys: "?,f1", place: "everywhere", label: "Keys" },
  suspend: { keys: "ctrl+z", place: "everywhere", label: "Stop" },
} as const satisfies Record<string, ActionText>

export type Action = keyof typeof ACTIONS

/** Keys of each action. */
export type Bindings = Readonly<Record<Action, readonly string[]>>

/** dive's own names of old for one of its actions. */
export const OLD_NAMES: Readonly<Record<string, Action>> = { "toggle-unchanged-files": "toggle-unmodified-files" }

/** All names of actions. */
export const ACTION_NAMES = Object.keys(ACTIONS) as Action[]

/** The keys that are there without settings, and what `changed` says otherwise. Throws InvalidArgument for what is no key. */
export function makeBindings(changed: Readonly<Partial<Record<Action, string>>> = {}): Bindings {
  return Object.fromEntries(
    ACTION_NAMES.map((name) => [name, parseKeys(changed[name] ?? ACTIONS[name].keys, `keybinding.${name}`)]),
  ) as unknown as Bindings
}

/** What a key does at a place; undefined: nothing. */
export function actionOf(bindings: Bindings, key: string, place: "page" | "layers" | "files"): Action | undefined {
  const fits = (name: Action) => {
    const where = ACTIONS[name].place
    return where === "everywhere" || (place !== "page" && (where === "views" || where === place))
  }
  // what is said of one view comes before what is said of all
  return ACTION_NAMES.filter((name) => fits(name) && bindings[name].includes(key)).toSorted(
    (a, b) => Number(ACTIONS[a].place !== place) - Number(ACTIONS[b].place !== place),
  )[0]
}

/** The first key of an action, for people. */
export function firstKey(bindings: Bindings, name: Action): string {
  return shownKey(bindings[name][0] ?? "")
}
