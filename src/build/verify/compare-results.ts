import { FailedPrecondition, type Hint } from "../../base/errors.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { Bytes } from "../../base/bytes.ts"
import { withSource } from "../../dockerfile/source-error.ts"
import { imageConfig } from "../export/image-config.ts"
import type { Solved } from "../export/context.ts"
import { lineOfLayer } from "../export/line-of-layer.ts"
import type { Plan } from "../plan/plan.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { Layer } from "../solve/result.ts"
import { firstFieldDifference, firstFileDifference } from "./first-difference.ts"

/** A build's results, and where its layers are. */
export interface BuiltResults {
  solved: readonly Solved[]
  records: BuildRecords
  reader: LayerReader
}

/** Throws FailedPrecondition, with the Dockerfile's lines, for the first file or field of the config that is not the same. */
export async function compareResults(first: BuiltResults, second: BuiltResults, snapshots: Snapshotter): Promise<void> {
  for (const [index, one] of first.solved.entries()) {
    const other = second.solved[index]
    if (other === undefined) throw new Error("unreachable: both were built for the same platforms")
    const of = first.solved.length > 1 ? `${formatPlatform(one.plan.platform)}: ` : ""
    await compareLayers(one, other, of)
    const [a, b] = [await configOf(one, first), await configOf(other, second)]
    const field = firstFieldDifference(a, b)
    if (field !== undefined) throw different(`${of}${field}`, one.plan)
  }

  async function compareLayers(one: Solved, other: Solved, of: string): Promise<void> {
    const [ours, theirs] = [one.result.layers, other.result.layers]
    for (const [index, layer] of ours.entries()) {
      const again = theirs[index]
      if (again === undefined || (await diffIdOf(layer, first)) === (await diffIdOf(again, second))) continue
      const { name, source } = lineOf(one.plan, index, ours.length)
      const file = await firstFileDifference(tarOf(layer, first), tarOf(again, second))
      const what = `${of}layer ${index + 1} of ${ours.length}${name}: ${file ?? "its bytes differ"}`
      const error = different(what, one.plan)
      throw source === undefined ? error : withSource(one.plan.dockerfile, source, error)
    }
    if (ours.length !== theirs.length)
      throw different(`${of}the first build has ${ours.length} layers, the second ${theirs.length}`, one.plan)
  }

  function tarOf(layer: Layer, { records }: BuiltResults): Bytes {
    // another build may be giving the snapshot its final name
    return records.transaction(() =>
      snapshots.diff(layer.kind === "base" ? layer.chainId : records.get(layer.id).snapshot),
    )
  }
}

async function diffIdOf(layer: Layer, { reader }: BuiltResults): Promise<string> {
  return layer.kind === "base" ? layer.diffId : (await reader.facts(layer.id)).diffId
}

async function configOf({ plan, result }: Solved, built: BuiltResults) {
  const diffIds = await Promise.all(result.layers.map((layer) => diffIdOf(layer, built)))
  return imageConfig({
    image: plan.image,
    history: plan.history.map(({ entry }) => entry),
    diffIds: diffIds as never,
    layerTimes: result.layers.map((layer) =>
      layer.kind === "base" ? undefined : built.records.get(layer.id).createdAt,
    ),
    epoch: plan.epoch,
  })
}

function lineOf(plan: Plan, index: number, layers: number) {
  const line = lineOfLayer(plan, index, layers)
  const text = line.text
    ?.replace(/ # buildkit$/, "")
    .replaceAll(/\s+/g, " ")
    .slice(0, 80)
  return { name: text === undefined ? "" : ` (${text})`, source: line.source }
}

function different(what: string, { epoch }: Plan): FailedPrecondition {
  const hint: Hint =
    epoch === undefined
      ? ["times are those of the build: set SOURCE_DATE_EPOCH", { do: "set", field: "epoch", value: "SECONDS" }]
      : "avoid what changes from build to build: dates, random names, logs, caches, unsorted lists"
  return new FailedPrecondition(`the build is not reproducible: ${what}`, { hint })
}
