import { TimeSlice } from "../base/time-slice.ts"
import type { Duplicate, FoundFile } from "./explore.ts"
import type { LayerIndex } from "./index/layer-index.ts"

const MAX_LISTED = 1000
const MIN_DUPLICATE_BYTES = 1024
/** Of different contents: what more there are is not compared. */
const MAX_CONTENTS = 1_000_000
const MAX_PLACES = 10

/** One place of a content. */
interface Place {
  layer: number
  at: number
}

/** See `ExploredImage.largest`. */
export async function largestFiles(
  indexes: readonly LayerIndex[],
  limit: number,
  signal?: AbortSignal,
): Promise<FoundFile[]> {
  const wanted = Math.min(limit, MAX_LISTED)
  let found: (Place & { sizeBytes: number; digest: string })[] = []
  let least = 0
  for await (const { layer, at, sizeBytes, digest } of filesOf(indexes, () => least, signal)) {
    found.push({ layer, at, sizeBytes, digest })
    // the list is cut now and then: sorting costs more than a few rows too many
    if (found.length < 4 * wanted + 64) continue
    found = cut(found, wanted)
    if (found.length === wanted) least = found.at(-1)?.sizeBytes ?? 0
  }
  return cut(found, wanted).map(({ layer, at, sizeBytes }) => ({
    layer,
    sizeBytes,
    path: indexes[layer]?.path(at) ?? "",
  }))
}

function cut<T extends { sizeBytes: number; digest: string }>(found: readonly T[], limit: number): T[] {
  const seen = new Set<string>()
  const sorted = found.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
  return sorted.filter(({ digest }) => digest === "" || (!seen.has(digest) && seen.add(digest))).slice(0, limit)
}

/** See `ExploredImage.duplicates`. */
export async function duplicateContents(
  indexes: readonly LayerIndex[],
  limit: number,
  signal?: AbortSignal,
): Promise<Duplicate[]> {
  const contents = new Map<string, { sizeBytes: number; count: number; places: Place[] }>()
  for await (const { layer, at, sizeBytes, digest } of filesOf(indexes, () => MIN_DUPLICATE_BYTES, signal)) {
    if (digest === "") continue
    const known = contents.get(digest)
    if (known !== undefined) {
      known.count++
      if (known.places.length < MAX_PLACES) known.places.push({ layer, at })
    } else if (contents.size < MAX_CONTENTS) contents.set(digest, { sizeBytes, count: 1, places: [{ layer, at }] })
  }
  return [...contents]
    .filter(([, { count }]) => count > 1)
    .toSorted(([, a], [, b]) => lost(b) - lost(a))
    .slice(0, Math.min(limit, MAX_LISTED))
    .map(([contentDigest, { sizeBytes, count, places }]) => ({
      contentDigest,
      sizeBytes,
      count,
      files: places.map(({ layer, at }) => ({ layer, sizeBytes, path: indexes[layer]?.path(at) ?? "" })),
    }))
}

/** What all but one of them take. */
function lost({ sizeBytes, count }: { sizeBytes: number; count: number }): number {
  return sizeBytes * (count - 1)
}

async function* filesOf(indexes: readonly LayerIndex[], least: () => number, signal?: AbortSignal) {
  const slice = new TimeSlice(signal)
  for (const [layer, index] of indexes.entries())
    for (let at = 0; at < index.records; at++) {
      if (slice.isOver) await slice.giveWay()
      const file = index.file(at)
      if (file !== undefined && file.sizeBytes > 0 && file.sizeBytes >= least()) yield { layer, at, ...file }
    }
}
