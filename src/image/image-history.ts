import type { ImageConfig } from "../spec/oci-image.ts"
import type { HistoryLine, Image } from "./image.ts"
import type { LayerRecord } from "./records.ts"

/** Joins the config's history with the sizes of its layers: one line a step, newest first, as docker's `history`. */
export function imageHistory(image: Image, config: ImageConfig, layers: readonly LayerRecord[]): HistoryLine[] {
  let layer = 0
  const lines = (config.history ?? []).map((entry): HistoryLine => ({
    id: "<missing>",
    createdAt: parseTime(entry.created),
    createdBy: entry.created_by ?? "",
    sizeBytes: entry.empty_layer ? 0 : (layers[layer++]?.sizeBytes ?? 0),
    comment: entry.comment ?? "",
    tags: [],
  }))
  // a builder that writes no history, or too little, still made these layers
  for (const { sizeBytes } of layers.slice(layer))
    lines.push({ id: "<missing>", createdAt: image.createdAt, createdBy: "", sizeBytes, comment: "", tags: [] })
  const [top, ...below] = lines.toReversed()
  return top ? [{ ...top, id: image.id, tags: image.tags }, ...below] : []
}

/** A time of an image document; undefined when it is none. */
export function parseTime(text: string | undefined): Date | undefined {
  const time = new Date(text ?? "")
  return Number.isNaN(time.getTime()) ? undefined : time
}
