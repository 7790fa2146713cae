import { crashPoint } from "../base/crash-point.ts"
import { DataLoss, Unsupported } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { OnProgress } from "../base/progress.ts"
import type { Lease } from "../content/content.ts"
import { chainIds } from "../spec/chain-id.ts"
import type { ChainId, Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageConfig, type ImageIndex, type ImageManifest } from "../spec/oci-image.ts"
import { parseImageConfig, MAX_CONFIG_BYTES } from "../spec/parse-image-config.ts"
import { MAX_INDEX_DEPTH, parseManifest, type ParsedManifest } from "../spec/parse-manifest.ts"
import { compatiblePlatforms, formatPlatform, hostPlatform, samePlatform, type Platform } from "../spec/platform.ts"
import { choosePlatform } from "./choose-platform.ts"
import { CompressedLayers } from "./compressed-layers.ts"
import { DocumentStore } from "./document-store.ts"
import { refuseEncrypted } from "./encrypted-layers.ts"
import { fetchAttestations } from "./fetch-attestations.ts"
import type { Attestation, ImageSource, ResolvedManifest } from "./image.ts"
import { parseTime } from "./image-history.ts"
import { compressionOf } from "./layer-compressor.ts"
import { LayerFetcher } from "./layer-fetcher.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords, LayerRecord } from "./records.ts"
import { formatReference, type Reference } from "./reference.ts"

// others push charts and signatures under the same manifest type
const CONFIG_TYPES = new Set<string>([MediaType.ociConfig, MediaType.dockerConfig, "application/octet-stream"])

/** Which image of which source, and who holds what has come. */
export interface FetchOptions {
  source: ImageSource
  ref: Reference
  /** The image in messages; default: the reference. */
  shown?: string
  top: ResolvedManifest
  /**
   * Asked before anything but manifests is fetched, with the digests of the image's manifest and of the indexes that led to it: throws
   * where policy.json does not let it in.
   */
  admit?: ((digests: readonly Digest[]) => Promise<void>) | undefined
  /** Holds what has come until it is recorded. */
  lease: Lease
  /** Filled and read by all images of one archive. */
  sizes?: Map<ChainId, number>
  /** Undefined: the host's. */
  platform?: Platform
  /** Whether what an index attests of the image comes with it: from a registry that would cost requests. */
  attestations?: boolean
  /** Whether layers may come in parts, where what is missing in them is here in others. */
  mayBePartial?: boolean
  onProgress: OnProgress
  signal: AbortSignal
  /** Aborted when a layer fails: the source and the other layers listen to its signal, which `signal` includes. */
  stop: AbortController
}

/** An image whose every part is in the store, and in no record yet. */
export interface FetchedImage {
  manifest: ImageManifest
  descriptor: Descriptor
  config: ImageConfig
  layers: readonly LayerRecord[]
  blobs: readonly Digest[]
  attestations: readonly Attestation[]
  /** Layers that were not here before. */
  added: number
}

/**
 * Brings an image in from any source: documents, then its layers in parallel, each leased against the digests that name it.
 * What a killed call left, the next one takes up.
 */
export async function fetchImage(
  deps: ImagesDeps,
  records: ImageRecords,
  options: FetchOptions,
): Promise<FetchedImage> {
  const { source, ref, top, lease, shown = formatReference(ref) } = options
  const documents = new DocumentStore(deps.content, lease, source, ref)
  const { manifest, descriptor, indexes, index } = await findManifest(documents, top, options.platform, shown)
  await options.admit?.([descriptor.digest, ...indexes.toReversed()])
  refuseEncrypted(manifest.layers, shown)
  const config = await fetchConfig(documents, manifest, options.platform, shown)
  const { layers, added } = await joinLayers(deps, records, options, manifest, config)
  rememberCompressed(deps, manifest, config)
  crashPoint("pull:before-record")
  const blobs = [...indexes, descriptor.digest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)]
  const attestations =
    options.attestations && index !== undefined ? await fetchAttestations(documents, index, descriptor) : []
  return { manifest, descriptor, config, layers, blobs, attestations, added }
}

/** Records what was fetched, as one part of the caller's transaction; gives its id. */
export function putFetched(records: ImageRecords, fetched: FetchedImage): Digest {
  const { manifest, descriptor, config, layers, blobs, attestations } = fetched
  const id = manifest.config.digest
  records.put({
    id,
    manifest: descriptor,
    platform: { os: config.os, architecture: config.architecture, variant: config.variant },
    createdAt: parseTime(config.created),
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    topLayer: layers.at(-1)?.chainId,
    labels: config.config?.Labels ?? {},
    layers,
    blobs,
  })
  records.putAttestations(id, attestations)
  return id
}

/** Fetches the layers side by side and joins each to those below as soon as they are there. */
async function joinLayers(
  deps: ImagesDeps,
  records: ImageRecords,
  options: FetchOptions,
  from: ImageManifest,
  { rootfs }: ImageConfig,
): Promise<{ layers: LayerRecord[]; added: number }> {
  const { source, ref, lease, sizes, onProgress, signal, stop } = options
  // of the layers of an image that is here already docker says nothing
  const isKnown = records.byId(from.config.digest) !== undefined
  const report: OnProgress = (event) => {
    if (!isKnown || event.stage !== "exists") onProgress(event)
  }
  const { mayBePartial = false } = options
  const parts = { lease, source, ref, sizes, mayBePartial, onProgress: report, signal }
  const fetcher = new LayerFetcher({ ...deps, records, ...parts })
  await using staged = fetcher.fetchAll(from.layers, rootfs.diff_ids, chainIds(rootfs.diff_ids), (error) =>
    stop.abort(error),
  )
  const layers = await staged.join()
  crashPoint("pull:layers-joined")
  return { layers, added: staged.added }
}

/** So that the same layer, when it comes plain or is asked for compressed, becomes this very blob. */
function rememberCompressed({ db }: ImagesDeps, { layers }: ImageManifest, { rootfs }: ImageConfig): void {
  const known = new CompressedLayers(db)
  db.transaction(() => {
    for (const [index, layer] of layers.entries()) {
      const [diffId, compression] = [rootfs.diff_ids[index], compressionOf(layer)]
      if (diffId !== undefined && compression !== "none") known.put(diffId, compression, layer)
    }
  })
}

/** Goes from what the name leads to, through indexes by platform, to the manifest of one image. */
async function findManifest(
  documents: DocumentStore,
  top: ResolvedManifest,
  platform: Platform | undefined,
  name: string,
) {
  const wanted = platform ?? hostPlatform()
  const indexes: Digest[] = []
  let { descriptor } = top
  let index: ImageIndex | undefined
  let parsed: ParsedManifest = parseManifest(top.bytes, descriptor.mediaType, `manifest of ${name}`)
  await documents.keep(top.bytes, descriptor.digest)
  while (parsed.kind === "index") {
    if (indexes.push(descriptor.digest) > MAX_INDEX_DEPTH)
      throw new DataLoss(`${name}: more than ${MAX_INDEX_DEPTH} indexes, one in the other`)
    index = parsed.index
    descriptor = choosePlatform(index, wanted, name)
    parsed = await documents.manifest(descriptor)
  }
  return { manifest: parsed.manifest, descriptor: { ...descriptor, mediaType: parsed.mediaType }, indexes, index }
}

/** The config, leased against the manifest and the platform that was asked for. */
async function fetchConfig(
  documents: DocumentStore,
  { config: descriptor, layers }: ImageManifest,
  platform: Platform | undefined,
  name: string,
): Promise<ImageConfig> {
  if (!CONFIG_TYPES.has(descriptor.mediaType))
    throw new Unsupported(`${name} is no container image, but "${descriptor.mediaType.slice(0, 200)}"`)
  const config = parseImageConfig(await documents.blob(descriptor, MAX_CONFIG_BYTES), `config of ${name}`)
  if (config.rootfs.diff_ids.length !== layers.length)
    throw new DataLoss(`${name}: its manifest has ${layers.length} layers, its config ${config.rootfs.diff_ids.length}`)
  const is = { os: config.os, architecture: config.architecture, variant: config.variant }
  if (config.os !== "linux") throw new Unsupported(`${name} is for ${formatPlatform(is)}: skiff runs linux images`)
  const fits = compatiblePlatforms(platform ?? hostPlatform()).some((each) => samePlatform(each, is))
  if (!fits && platform)
    throw new Unsupported(`${name} is for ${formatPlatform(is)} only, wanted ${formatPlatform(platform)}`)
  if (!fits) log.warn("the image is for another platform than this host", { image: name, platform: formatPlatform(is) })
  return config
}
