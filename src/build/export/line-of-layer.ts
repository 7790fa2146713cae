import type { SourceRange } from "../build.ts"
import { withSource } from "../../dockerfile/source-error.ts"
import type { Plan } from "../plan/plan.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { LayersResult } from "../solve/result.ts"

/** What the history says of a layer, from the top: a base may tell too little of its own. */
export function lineOfLayer(
  { history }: Plan,
  index: number,
  layers: number,
): { text: string | undefined; source: SourceRange | undefined } {
  const lines = history.filter(({ entry }) => !entry.empty_layer)
  const line = lines[index - (layers - lines.length)]
  return { text: line?.entry.created_by, source: line?.vertex?.source }
}

/** The same error, with the Dockerfile's lines where it came of reading a layer that they made. */
export function locateLayer(
  error: unknown,
  reader: LayerReader,
  solved: readonly { plan: Plan; result: LayersResult }[],
): unknown {
  const failed = reader.layerOf(error)
  for (const { plan, result } of solved) {
    const index = result.layers.findIndex((layer) => layer.kind === "step" && layer.id === failed)
    const source = index < 0 ? undefined : lineOfLayer(plan, index, result.layers.length).source
    if (source !== undefined) return withSource(plan.dockerfile, source, error)
  }
  return error
}
