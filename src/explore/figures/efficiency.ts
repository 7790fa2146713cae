/**
 * dive's figures, as its `filetree/efficiency.go` counts them: only names with nothing below them count, each layer by itself. The
 * size of a whiteout is that of the directory which it removes, as the layers below stack to it, and 0 where it removes a file.
 *
 * A whiteout of what is not there ends dive's walk of its layer: what would come after it, by the order of names and children first, is
 * not counted. That is kept too, for the figures are the same or they are of no use in anybody's pipeline.
 */
import { TimeSlice } from "../../base/time-slice.ts"
import type { LayerIndex, LayerRecord } from "../index/layer-index.ts"
import { descend, sumOf } from "../stack/fold.ts"
import { rows, type Part } from "../stack/rows.ts"
import type { Figures, Inefficiency } from "./figures.ts"

/** Where dive's walk of a layer ends. */
interface Cut {
  /** The names on the way to the whiteout, its own the last, with its `.wh.`. */
  names: readonly string[]
  /** Which of them is looked for in this directory. */
  depth: number
}

/** A directory of one layer, on the walk. */
type Walked = Part & { cut?: Cut }

/** A path that was seen twice or more, and what dive orders by where the sizes are equal. */
type Found = Inefficiency & { secondLayer: number; at: number }

interface Sums {
  least: number
  all: number
  found: Found[]
}

/** It gives way to other events. Throws the signal's reason. */
export async function figuresOf(layers: readonly LayerIndex[], signal?: AbortSignal): Promise<Figures> {
  const slice = new TimeSlice(signal)
  const roots = layers.map((index, layer): Part => ({ layer, index, record: index.root }))
  const walked: Walked[] = []
  for (const root of roots) {
    const cut = root.index.whiteouts === 0 ? undefined : firstDangling(root, roots)
    walked.push(cut === undefined ? root : { ...root, cut: { names: cut, depth: 0 } })
    if (slice.isOver) await slice.giveWay()
  }
  const sums: Sums = { least: 0, all: 0, found: [] }
  for (const _ of walk(walked, roots, "", sums)) if (slice.isOver) await slice.giveWay()
  const sizeBytes = layers.reduce((sum, layer) => sum + layer.sizeBytes, 0)
  const userBytes = sizeBytes - (layers[0]?.sizeBytes ?? 0)
  const wastedBytes = sums.found.reduce((sum, one) => sum + one.sizeBytes, 0)
  return {
    efficiency: sums.all === 0 ? 1 : sums.least / sums.all,
    sizeBytes,
    userBytes,
    wastedBytes,
    wastedUserPercent: wastedBytes / userBytes,
    inefficiencies: sums.found
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes || b.secondLayer - a.secondLayer || b.at - a.at)
      .map(({ path, count, sizeBytes: bytes }) => ({ path, count, sizeBytes: bytes })),
  }
}

function* walk(parts: readonly Walked[], roots: readonly Part[], path: string, sums: Sums): Generator<void> {
  const [only] = parts
  if (parts.length === 1 && only !== undefined && only.cut === undefined && !only.record.hides) {
    sums.least += only.record.leafBytes
    sums.all += only.record.leafBytes
    return
  }
  for (const row of rows(parts)) {
    yield
    const inner = path === "" ? row.name : `${path}/${row.name}`
    const below: Walked[] = []
    const seen = { count: 0, sizeBytes: 0, least: -1, secondLayer: 0 }
    let isTouched = false
    for (const { of, plain, whiteout } of row.hits) {
      const part = parts[of]
      if (part === undefined) continue
      if (whiteout !== undefined) {
        const place = placeOf(part, `.wh.${row.name}`)
        // dive has made its row for the path by the time that it gives up
        if (place === "cut") isTouched = true
        if (place === "before") see(seen, removedBytes(inner, part.layer, roots), part.layer)
      }
      if (plain === undefined) continue
      const place = placeOf(part, row.name)
      if (place === "after" || place === "cut") continue
      if (plain.childCount === 0) see(seen, plain.sizeBytes, part.layer)
      else below.push({ layer: part.layer, index: part.index, record: plain, ...(place === "on" && deeper(part.cut)) })
    }
    if (seen.count > 0 || isTouched) {
      sums.least += seen.least
      sums.all += seen.sizeBytes
    }
    // of two with the same size dive lists the later one first, by the order of its walk: children first
    if (below.length > 0) yield* walk(below, roots, inner, sums)
    if (seen.count > 1)
      sums.found.push({
        path: inner,
        count: seen.count,
        sizeBytes: seen.sizeBytes,
        secondLayer: seen.secondLayer,
        at: sums.found.length,
      })
  }
}

function see(
  seen: { count: number; sizeBytes: number; least: number; secondLayer: number },
  size: number,
  layer: number,
): void {
  seen.count++
  seen.sizeBytes += size
  if (seen.least < 0 || size < seen.least) seen.least = size
  if (seen.count === 2) seen.secondLayer = layer
}

/** Where a name of a directory stands to the end of its layer's walk. */
function placeOf({ cut }: Walked, name: string): "before" | "on" | "cut" | "after" {
  const wanted = cut?.names[cut.depth]
  if (cut === undefined || wanted === undefined || name < wanted) return "before"
  if (name > wanted) return "after"
  return cut.depth === cut.names.length - 1 ? "cut" : "on"
}

function deeper(cut: Cut | undefined): { cut?: Cut } {
  return cut === undefined ? {} : { cut: { names: cut.names, depth: cut.depth + 1 } }
}

/** What lower layers have at the path: of the lowest layer itself. Empty: nothing. */
function removed(path: string, layer: number, roots: readonly Part[]): Part[] {
  const below = layer === 0 ? roots.slice(0, 1) : roots.slice(0, layer)
  return descend(below, path, "dive")
}

function removedBytes(path: string, layer: number, roots: readonly Part[]): number {
  const parts = removed(path, layer, roots)
  // dive knows directories by their entries alone
  const record = parts.at(-1)?.record
  return record?.isDirectory === true && !record.isImplied ? sumOf(parts, "dive") : 0
}

/** The first whiteout of what is not there, by the order of dive's walk. */
function firstDangling(root: Part, roots: readonly Part[]): string[] | undefined {
  return look(root.record, [])

  function look({ childStart, childCount }: LayerRecord, above: readonly string[]): string[] | undefined {
    for (let at = childStart; at < childStart + childCount; at++) {
      const record = root.index.record(at)
      if (!record.hides) continue
      const names = [...above, root.index.name(at)]
      const inner = record.childCount > 0 ? look(record, names) : undefined
      if (inner !== undefined) return inner
      if (!record.isWhiteout || record.childCount > 0) continue
      const path = [...above, names.at(-1)?.slice(".wh.".length) ?? ""].join("/")
      if (removed(path, root.layer, roots).length === 0) return names
    }
    return undefined
  }
}
