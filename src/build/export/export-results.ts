import type { Lease } from "../../content/content.ts"
import type { Image } from "../../image/image.ts"
import type { Digest } from "../../spec/digest.ts"
import type { BuildEvents } from "../build-events.ts"
import type { BuildHost } from "../build-host.ts"
import type { BuildRequest, BuildResult, LayerCost } from "../build.ts"
import type { Plan } from "../plan/plan.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { LayersResult } from "../solve/result.ts"
import type { StepRunner } from "../solve/step-runner.ts"
import { imageConfig } from "./image-config.ts"
import { layerCosts } from "./layer-costs.ts"
import { nameLayers, type NamedLayer } from "./name-layers.ts"
import { squashLayers } from "./squash.ts"
import { writeFiles } from "./write-files.ts"
import { writeArchive } from "./write-archive.ts"

/** One platform's plan, and what it gave. */
export interface Solved {
  plan: Plan
  result: LayersResult
}

export interface ExportContext {
  host: BuildHost
  request: BuildRequest
  records: BuildRecords
  runner: StepRunner
  reader: LayerReader
  lease: Lease
  events: BuildEvents
}

/** Makes what the request's outputs say of what was solved; without any, what was solved is in the cache alone. */
export async function exportResults(solved: readonly Solved[], context: ExportContext): Promise<BuildResult> {
  const { request, events } = context
  const { outputs } = request
  for (const output of outputs)
    if (output.type === "local" || output.type === "tar")
      await events.step(output.type === "local" ? "exporting to client directory" : "exporting to client tarball", () =>
        writeFiles(solved, output, context),
      )
  if (outputs.every(({ type }) => type === "local" || type === "tar"))
    return { images: [], digest: undefined, costs: [] }

  const result = await events.step("exporting to image", (number) => recordImages(solved, context, number))
  for (const output of outputs) {
    if (output.type === "docker" || output.type === "oci")
      await events.step(`exporting to ${output.type} image format`, () => writeArchive(result.images, output, context))
    if (output.type === "registry")
      await events.step("pushing", (number) => pushImages(result.images, context, events.contextOf(number).onStatus))
  }
  return result
}

async function recordImages(solved: readonly Solved[], context: ExportContext, number: number): Promise<BuildResult> {
  const { host, request, events } = context
  const { onStatus } = events.contextOf(number)
  const images: Image[] = []
  const costs: LayerCost[] = []
  // the first platform's image has the name
  for (const [index, { plan, result }] of solved.entries()) {
    onStatus("layers", "exporting layers")
    const named = await nameLayers(result, { ...context, snapshots: host.snapshots })
    const squashed = request.squash ? await squashLayers(named, plan, context) : { layers: named, history: undefined }
    const image = await host.images.record({
      config: {
        ...configOf(plan, squashed.layers, squashed.history),
        ...(request.edits?.omitsHistory ? { history: undefined } : {}),
      },
      layers: squashed.layers,
      format: request.format,
      tags: index === 0 ? request.tags : [],
      ...(Object.keys(request.annotations).length > 0 ? { annotations: { ...request.annotations } } : {}),
    })
    onStatus("image", `writing image ${image.id}`)
    images.push(image)
    costs.push(...layerCosts(plan, named))
  }
  for (const tag of request.tags) onStatus(`name ${tag}`, `naming to ${tag}`)
  const digest: Digest | undefined =
    images.length > 1 ? await host.images.recordIndex(images, request.format) : images[0]?.manifest.digest
  return { images, digest, costs }
}

function configOf(plan: Plan, layers: readonly NamedLayer[], history: readonly object[] | undefined) {
  return imageConfig({
    image: plan.image,
    history: history ?? plan.history.map(({ entry }) => entry),
    diffIds: layers.map(({ diffId }) => diffId),
    layerTimes: layers.map(({ createdAt }) => createdAt),
    epoch: plan.epoch,
  })
}

async function pushImages(
  images: readonly Image[],
  { host, request }: ExportContext,
  onStatus: (id: string, text: string, current?: number, total?: number) => void,
): Promise<void> {
  for (const tag of request.tags)
    await host.images.push(tag, {
      ...request.access,
      ...(images.length > 1 ? { platforms: images } : {}),
      onProgress: ({ id, status, current, total }) => onStatus(id, status, current, total),
      ...(request.signal ? { signal: request.signal } : {}),
    })
}
