import type { ImageConfig, HistoryEntry } from "../../spec/oci-image.ts"
import type { DiffId } from "../../spec/digest.ts"

/** What the config of an image is made from, once its layers have digests. */
export interface ConfigInProgress {
  image: Omit<ImageConfig, "rootfs" | "history" | "created">
  history: readonly HistoryEntry[]
  diffIds: readonly DiffId[]
  /** When each layer was made; undefined for those of the base. */
  layerTimes: readonly (Date | undefined)[]
  /** The time of all that is ours. */
  epoch: number | undefined
}

/** The config of a built image; the times of its history as buildkit gives them (exporter/containerimage). */
export function imageConfig({ image, history, diffIds, layerTimes, epoch }: ConfigInProgress): ImageConfig {
  const dated = withTimes(withLayers(history, diffIds.length), layerTimes)
  const created =
    epoch === undefined ? dated.findLast((entry) => entry.created !== undefined)?.created : formatEpoch(epoch)
  const { architecture, os, variant, author, config, ...rest } = image
  return {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    ...(author === undefined ? {} : { author }),
    ...rest,
    ...(created === undefined ? {} : { created }),
    ...(config === undefined ? {} : { config }),
    rootfs: { type: "layers", diff_ids: diffIds },
    history: dated,
  }
}

/** A base image that tells too little of its layers gets lines for the others, below all that is ours. */
function withLayers(history: readonly HistoryEntry[], layers: number): HistoryEntry[] {
  const missing = layers - history.filter((entry) => !entry.empty_layer).length
  const unknown: HistoryEntry = { comment: "of the base image, which does not tell" }
  return [...Array.from({ length: Math.max(missing, 0) }, () => unknown), ...history]
}

function withTimes(history: readonly HistoryEntry[], layerTimes: readonly (Date | undefined)[]): HistoryEntry[] {
  let layer = 0
  const own = history.map((entry) => {
    const time = entry.empty_layer ? undefined : layerTimes[layer++]
    return { ...entry, created: entry.created ?? time?.toISOString() }
  })
  // a line without a layer has the time of the layer before it; the first ones, that of the first new layer
  const firstGap = own.findIndex((entry) => entry.created === undefined)
  let last =
    own.slice(Math.max(firstGap, 0)).find((entry) => entry.created !== undefined)?.created ??
    own.findLast((entry) => entry.created !== undefined)?.created
  return own.map((entry, index) => {
    if (entry.created !== undefined && (index > firstGap || firstGap < 0)) last = entry.created
    return orderedEntry({ ...entry, created: entry.created ?? last })
  })
}

function orderedEntry({ created, created_by, author, comment, empty_layer }: HistoryEntry): HistoryEntry {
  return {
    ...(created === undefined ? {} : { created }),
    ...(created_by === undefined ? {} : { created_by }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(empty_layer ? { empty_layer } : {}),
  }
}

/** Seconds after 1970, as RFC 3339. */
export function formatEpoch(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z")
}
