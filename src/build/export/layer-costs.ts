import type { LayerCost } from "../build.ts"
import type { Plan } from "../plan/plan.ts"
import type { NamedLayer } from "./name-layers.ts"

/** What each line of the Dockerfile adds to the image. */
export function layerCosts({ history }: Plan, layers: readonly NamedLayer[]): LayerCost[] {
  const lines = history.filter(({ entry }) => !entry.empty_layer)
  // the history may tell too little of the base; it tells all that is ours
  const offset = layers.length - lines.length
  return lines.flatMap(({ entry, vertex }, index): LayerCost[] => {
    const layer = layers[index + offset]
    if (vertex === undefined || layer === undefined) return []
    const { source } = vertex
    const { sizeBytes: bytes, wastedBytes } = layer
    return [{ createdBy: entry.created_by ?? "", ...(source ? { source } : {}), bytes, wastedBytes }]
  })
}
