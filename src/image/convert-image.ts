import { noProgress } from "../base/progress.ts"
import type { Lease } from "../content/content.ts"
import { digestHex, shortDigest } from "../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor } from "../spec/oci-image.ts"
import type { ImagesDeps } from "./deps.ts"
import { digestOf } from "./documents.ts"
import { fetchImage, putFetched, type FetchedImage } from "./fetch-image.ts"
import type { ConvertOptions, ConvertResult, ImageMember, ImageSource, ResolvedManifest } from "./image.ts"
import { imageSetOf } from "./image-set.ts"
import { plainLayer, withKeptLayers } from "./kept-layers.ts"
import { LayerCompressor, type MadeLayer } from "./layer-compressor.ts"
import { leaseImage } from "./leased-manifest.ts"
import { indexDocument } from "./make-index.ts"
import { chosenMember } from "./copy/copy-source.ts"
import { reformed } from "./reformed.ts"
import type { ImageRecords } from "./records.ts"
import { taggedName, type Reference } from "./reference.ts"

/** What the store is asked by: it knows only digests. */
const STORE: Reference = { registry: "localhost", repository: "store" }
const MANIFEST_TYPES = { oci: MediaType.ociManifest, docker: MediaType.dockerManifest } as const

/** See `Images.convert`. */
export async function convertImage(
  deps: ImagesDeps,
  records: ImageRecords,
  word: string,
  target: string,
  options: ConvertOptions,
): Promise<ConvertResult> {
  const name = taggedName(target)
  const { image, name: from } = records.mustLocate(word)
  await using lease = await deps.leases.open()
  const set = await imageSetOf(deps, records, image, from)
  const members = options.all ? set.members : [chosenMember(set.members, options.platform, word)]
  const converted: { member: ImageMember; fetched: FetchedImage; descriptor: Descriptor }[] = []
  for (const member of members) {
    const top = await inForm(deps, lease, member, options)
    const fetched = await fetchConverted(deps, records, top, lease, member, options)
    converted.push({ member, fetched, descriptor: top.descriptor })
  }
  const [first] = converted
  if (first === undefined) throw new Error("unreachable: a set has members")
  const isDocker = converted.every(({ descriptor }) => descriptor.mediaType === MediaType.dockerManifest)
  const index =
    options.all && members.length > 1 ? indexDocument(converted, set, isDocker ? "docker" : "oci") : undefined
  if (index !== undefined) {
    lease.addBlob(index.descriptor.digest)
    await deps.content.put(index.bytes)
  }
  const ids = records.transaction(() => {
    const all = converted.map(({ fetched }) => putFetched(records, fetched))
    records.setName(name, all[0] ?? image.id)
    if (index !== undefined) records.setIndex(name, index.descriptor.digest, all)
    records.tell("tag", all[0] ?? image.id, { name })
    return all
  })
  return { descriptor: index?.descriptor ?? first.descriptor, image: records.get(ids[0] ?? image.id) }
}

/** The manifest of the image with its layers in the form that was asked for; all that it names is in the store, held by the lease. */
async function inForm(
  { content, ...deps }: ImagesDeps,
  lease: Lease,
  { image }: ImageMember,
  { form, format, onProgress = noProgress, signal }: ConvertOptions,
): Promise<ResolvedManifest> {
  const whole = await leaseImage(content, lease, image)
  const leased = form === undefined ? whole : withKeptLayers(content, whole)
  const compressor = form && new LayerCompressor({ content, ...deps }, lease, { ...form, every: true })
  const made: MadeLayer[] = []
  for (const [index, layer] of leased.manifest.layers.entries()) {
    const diffId = leased.diffIds[index]
    const id = shortDigest(diffId ?? layer.digest)
    if (compressor === undefined) made.push({ layer })
    // it is there already, as its files
    else if (form?.compression === "none" && diffId !== undefined && content.has(diffId))
      made.push({ layer: plainLayer(content, layer, diffId) })
    else
      made.push(
        await compressor.made(layer, {
          isThere: async () => false,
          onProgress: (current) => onProgress({ id, stage: "compressing", current, total: layer.size }),
          signal,
        }),
      )
  }
  const { bytes, mediaType } = await reformed(content, lease, leased, made, format && MANIFEST_TYPES[format])
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  lease.addBlob(descriptor.digest)
  await content.put(bytes)
  return { descriptor, bytes }
}

/** Layers whose archive is another are extracted; the others are here. */
async function fetchConverted(
  deps: ImagesDeps,
  records: ImageRecords,
  top: ResolvedManifest,
  lease: Lease,
  { image }: ImageMember,
  { onProgress = noProgress, signal: given }: ConvertOptions,
): Promise<FetchedImage> {
  const { content } = deps
  const source: ImageSource = {
    async resolve({ digest = top.descriptor.digest }) {
      const bytes = await content.readAll(digest, MAX_MANIFEST_BYTES)
      return { descriptor: { mediaType: "", digest, size: bytes.length }, bytes }
    },
    fetch: async (_, { digest }, offset = 0) => ({ offset, bytes: content.read(digest, { start: offset }) }),
  }
  const stop = new AbortController()
  const signal = given ? AbortSignal.any([given, stop.signal]) : stop.signal
  const shown = `image ${digestHex(image.id)}`
  const how = { platform: image.platform, onProgress, signal, stop }
  return await fetchImage(deps, records, { source, ref: STORE, shown, top, lease, ...how })
}
