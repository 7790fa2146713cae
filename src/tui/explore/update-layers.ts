import type { Action } from "./bindings.ts"
import { layersRows, withFiles } from "./fit.ts"
import { withTree, type ExploreState } from "./state.ts"
import type { ExploreStep } from "./step.ts"

export function actOnLayers(state: ExploreState, action: Action): ExploreStep {
  const page = layersRows(state)
  switch (action) {
    case "up":
      return chooseLayer(state, state.layer - 1)
    case "down":
      return chooseLayer(state, state.layer + 1)
    case "page-up":
      return chooseLayer(state, state.layer - page)
    case "page-down":
      return chooseLayer(state, state.layer + page)
    case "top":
      return chooseLayer(state, 0)
    case "bottom":
      return chooseLayer(state, state.image.layers.length - 1)
    case "right":
      return { state: withFiles({ ...state, focus: "files" }), effects: [] }
    case "compare-layer":
      return retreed({ ...state, isAggregated: false })
    case "compare-all":
      return retreed({ ...state, isAggregated: true })
    default:
      return { state, effects: [] }
  }
}

/** Looks at another layer; as far as there are. */
export function chooseLayer(state: ExploreState, wanted: number): ExploreStep {
  const layer = Math.max(0, Math.min(state.image.layers.length - 1, wanted))
  return layer === state.layer ? { state, effects: [] } : retreed({ ...state, layer })
}

/** A filter looks again, at the tree that is shown now. */
function retreed(state: ExploreState): ExploreStep {
  const next = withFiles(withTree(state))
  const { filter } = next
  if (!filter) return { state: { ...next, search: undefined }, effects: [] }
  return {
    state: { ...next, search: undefined },
    effects: [{ kind: "match", purpose: "filter", tree: next.files.listing.tree, text: filter.text }],
  }
}
