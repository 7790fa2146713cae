import type { HistoryEntry } from "../spec/oci-image.ts"
import type { ExploredLayer } from "./explore.ts"
import type { LayerIndex } from "./index/layer-index.ts"
import type { ImageSourceOpened } from "./source/source.ts"

/** Layers with the lines of the history that made them: those that are not of empty layers, in their order. */
export function describeLayers({ layers, config }: ImageSourceOpened, indexes: readonly LayerIndex[]): ExploredLayer[] {
  const made = (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true)
  return layers.map(({ id, diffId, digest, dockerfileLine }, index): ExploredLayer => {
    const line = made[index]
    const createdAt = timeOf(line)
    return {
      index,
      id,
      diffId,
      ...(digest !== undefined && { digest }),
      sizeBytes: indexes[index]?.sizeBytes ?? 0,
      entries: indexes[index]?.entries ?? 0,
      // dive's word for what no history tells
      command: line === undefined ? "(missing)" : (line.created_by ?? "").replace(/^\/bin\/sh -c /, ""),
      createdBy: line?.created_by ?? "",
      ...(createdAt !== undefined && { createdAt }),
      comment: line?.comment ?? "",
      ...(dockerfileLine !== undefined && { dockerfileLine }),
    }
  })
}

function timeOf(line: HistoryEntry | undefined): Date | undefined {
  const time = new Date(line?.created ?? "")
  return Number.isNaN(time.getTime()) ? undefined : time
}
