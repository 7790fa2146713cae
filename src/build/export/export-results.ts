import type { OnProgress } from "../../base/progress.ts"
import type { Solved, ExportContext, Attested } from "./context.ts"
import type { Annotations, Image, ImageMember, ImageSet } from "../../image/image.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { samePlatform } from "../../spec/platform.ts"
import type { BuildOutput, BuildResult, LayerCost } from "../build.ts"
import type { Plan } from "../plan/plan.ts"
import { annotationsOf, indexAnnotations } from "./annotations.ts"
import { imageConfig } from "./image-config.ts"
import { layerCosts } from "./layer-costs.ts"
import { nameLayers, type NamedLayer } from "./name-layers.ts"

/** Makes what the request's outputs say of what was solved; without any, what was solved is in the cache alone. */
export async function exportResults(solved: readonly Solved[], context: ExportContext): Promise<BuildResult> {
  const { request, events } = context
  const { outputs } = request
  const all = await attestAll(solved, context)
  const attested = all.map(({ plan, predicates }) => ({ platform: plan.platform, predicates }))
  for (const output of outputs)
    if (output.type === "local" || output.type === "tar")
      await events.step(
        output.type === "local" ? "exporting to client directory" : "exporting to client tarball",
        async () => (await import("./write-files.ts")).writeFiles(all, output, context),
      )
  if (outputs.every(({ type }) => type === "local" || type === "tar"))
    return { images: [], digest: undefined, descriptor: undefined, costs: [], attested }

  const made = await events.step("exporting to image", (number) => makeImages(all, context, number))
  let { descriptor } = made
  for (const output of outputs) {
    if (output.type === "docker" || output.type === "oci" || output.type === "oci-directory")
      await events.step(`exporting to ${output.type === "docker" ? "docker" : "oci"} image format`, async () =>
        (await import("./write-archive.ts")).writeArchive(made.set, output, context),
      )
    if (output.type === "registry")
      descriptor = await events.step("pushing", (number) =>
        pushImages(made.set, output, context, events.contextOf(number).onProgress),
      )
  }
  return { images: made.images, digest: descriptor.digest, descriptor, costs: made.costs, attested }
}

async function attestAll(solved: readonly Solved[], context: ExportContext): Promise<Attested[]> {
  const { request, runner, events, id, startedAt, materials } = context
  if (materials === undefined) return solved.map((each) => ({ ...each, predicates: [] }))
  const { predicatesOf } = await import("../attest/attest.ts")
  const run = { request, id, startedAt, materials }
  const attested: Attested[] = []
  for (const each of solved) {
    const view = async () => (await runner.view(each.result)).path
    attested.push({ ...each, predicates: await predicatesOf(each.plan, { run, events, view }) })
  }
  return attested
}

interface MadeImages {
  /** The new ones, in the order of the platforms. */
  images: readonly Image[]
  /** With those that the name had before (`--manifest`). */
  set: ImageSet
  /** Of the manifest, or of the index of several. */
  descriptor: Descriptor
  costs: LayerCost[]
}

/** Writes the documents of the images. They are recorded only where the store is an output; else they live with the lease. */
async function makeImages(all: readonly Attested[], context: ExportContext, number: number): Promise<MadeImages> {
  const { deps, request, events, lease } = context
  const { onProgress } = events.contextOf(number)
  const isKept = request.outputs.some(({ type }) => type === "image")
  // recording takes the name away from what it led to
  const listed = isKept && request.manifest !== undefined ? await deps.images.findSet(request.manifest) : undefined
  const members: ImageMember[] = []
  const costs: LayerCost[] = []
  for (const [index, { plan, result, predicates }] of all.entries()) {
    onProgress({ id: "layers", stage: "exporting-layers" })
    const named = await nameLayers(result, { ...context, snapshots: deps.snapshots })
    const squashed = request.squash
      ? await (await import("./squash.ts")).squashLayers(named, plan, context)
      : { layers: named, history: undefined }
    const config = configOf(plan, squashed.layers, squashed.history)
    const options = {
      config: request.edits?.omitsHistory ? { ...config, history: undefined } : config,
      layers: squashed.layers,
      format: request.format,
      // one platform's image has the name; an index chooses which
      tags: index === 0 || !isKept ? request.tags : [],
      ...present("annotations", annotationsOf(request, "manifest", plan.platform)),
      predicates,
    }
    const member = isKept ? await deps.images.record(options) : await deps.images.unrecorded(options, lease)
    onProgress({ id: "image", stage: "writing-image", subject: member.image.id })
    members.push({ ...member, ...present("annotations", annotationsOf(request, "manifest-descriptor", plan.platform)) })
    costs.push(...layerCosts(plan, named))
  }
  if (isKept) for (const tag of request.tags) onProgress({ id: `name ${tag}`, stage: "naming", subject: tag })
  const set: ImageSet = { members: [...others(listed, members), ...members], annotations: indexAnnotations(request) }
  return { images: members.map(({ image }) => image), set, descriptor: await topOf(set, isKept, context), costs }
}

/** Of those that a name leads to, the images of other platforms than the new ones. */
function others(listed: ImageSet | undefined, members: readonly ImageMember[]): readonly ImageMember[] {
  const isNew = ({ image }: ImageMember) => members.some((each) => samePlatform(each.image.platform, image.platform))
  return listed?.members.filter((each) => !isNew(each)) ?? []
}

async function topOf(set: ImageSet, isKept: boolean, { deps, request, lease }: ExportContext): Promise<Descriptor> {
  const [first, second] = set.members
  if (first === undefined) throw new Error("unreachable: a build is for one platform at least")
  if (second === undefined) return first.image.manifest
  const names = isKept ? request.tags : []
  return await deps.images.index(set, { format: request.format, names, ...(isKept ? {} : { lease }) })
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

/** Gives what the registry now has. */
async function pushImages(
  set: ImageSet,
  { form, byDigest }: BuildOutput & { type: "registry" },
  { deps, request }: ExportContext,
  onProgress: OnProgress,
): Promise<Descriptor> {
  let pushed: Descriptor | undefined
  for (const tag of request.tags)
    pushed = await deps.images.push(tag, {
      ...request.access,
      images: set,
      onProgress,
      ...(form === undefined ? {} : { form }),
      ...(byDigest === undefined ? {} : { byDigest }),
      ...(request.signal ? { signal: request.signal } : {}),
    })
  if (pushed === undefined) throw new Error("unreachable: to push, a name is asked for")
  return { mediaType: pushed.mediaType, digest: pushed.digest, size: pushed.size }
}

function present<K extends string>(key: K, values: Annotations): { [P in K]?: Annotations } {
  return (Object.keys(values).length === 0 ? {} : { [key]: values }) as { [P in K]?: Annotations }
}
