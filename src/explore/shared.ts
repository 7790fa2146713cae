import { TimeSlice } from "../base/time-slice.ts"
import type { SharedContent } from "./explore.ts"
import type { LayerIndex } from "./index/layer-index.ts"

const MIN_BYTES = 16 * 1024
const MAX_CONTENTS = 500_000
const MAX_LISTED = 1000

/** The layers of one image of the store, each by what it is. */
export interface StoredLayers {
  name: string
  layers: readonly { diffId: string; index: LayerIndex }[]
}

/** See `Explorer.shared`. Layers that both images have are one on the disk already, and left out. */
export async function sharedContents(
  image: StoredLayers,
  others: AsyncIterable<StoredLayers>,
  limit: number,
  signal?: AbortSignal,
): Promise<SharedContent[]> {
  const slice = new TimeSlice(signal)
  const own = new Set(image.layers.map(({ diffId }) => diffId))
  const contents = new Map<string, { sizeBytes: number; layer: number; at: number; images: Set<string> }>()
  for (const [layer, { index }] of image.layers.entries())
    for (let at = 0; at < index.records; at++) {
      if (slice.isOver) await slice.giveWay()
      const file = index.file(at)
      if (file === undefined || file.digest === "" || file.sizeBytes < MIN_BYTES || contents.size >= MAX_CONTENTS)
        continue
      if (!contents.has(file.digest))
        contents.set(file.digest, { sizeBytes: file.sizeBytes, layer, at, images: new Set() })
    }
  for await (const { name, layers } of others)
    for (const { diffId, index } of layers.filter((layer) => !own.has(layer.diffId)))
      for (let at = 0; at < index.records; at++) {
        if (slice.isOver) await slice.giveWay()
        const digest = index.file(at)?.digest
        if (digest !== undefined && diffId !== "") contents.get(digest)?.images.add(name)
      }
  return [...contents.values()]
    .filter(({ images }) => images.size > 0)
    .toSorted((a, b) => b.sizeBytes * b.images.size - a.sizeBytes * a.images.size)
    .slice(0, Math.min(limit, MAX_LISTED))
    .map(({ sizeBytes, layer, at, images }) => ({
      file: { layer, sizeBytes, path: image.layers[layer]?.index.path(at) ?? "" },
      images: [...images],
    }))
}
