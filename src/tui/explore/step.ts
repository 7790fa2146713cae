import type { Step } from "../screen/program.ts"
import type { ExploreEffect } from "./effects.ts"
import type { FilePlace } from "./page.ts"
import type { ExploreState } from "./state.ts"

/** What the screen is after an event, and what has to be done for it. */
export type ExploreStep = Step<ExploreState, ExploreEffect>

/** A state without anything to do. */
export function still(state: ExploreState, ...effects: ExploreStep["effects"]): ExploreStep {
  return { state, effects }
}

/** Where a file's contents are: of a removed one in the layer that had it. */
export function contentPlace(
  state: ExploreState,
  path: string,
  layer: number,
  isRemoved: boolean,
): FilePlace | undefined {
  if (!isRemoved) return { layer, path }
  if (layer === 0) return undefined
  const node = state.image.tree({ since: 0, upTo: layer - 1 }).node(path)
  return node && { layer: node.layer, path }
}
