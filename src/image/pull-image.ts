import { crashPoint } from "../base/crash-point.ts"
import { DataLoss, isSkiffError, SkiffError, Unsupported } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { noProgress, type OnProgress } from "../base/progress.ts"
import type { Lease } from "../content/content.ts"
import { chainIds } from "../spec/chain-id.ts"
import type { Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageConfig, type ImageManifest } from "../spec/oci-image.ts"
import { parseImageConfig, MAX_CONFIG_BYTES } from "../spec/parse-image-config.ts"
import { parseManifest, type ParsedManifest } from "../spec/parse-manifest.ts"
import { compatiblePlatforms, formatPlatform, hostPlatform, samePlatform } from "../spec/platform.ts"
import { choosePlatform } from "./choose-platform.ts"
import { DocumentStore } from "./document-store.ts"
import type { ImageSource, PullOptions, PullResult } from "./image.ts"
import { parseTime } from "./image-history.ts"
import { LayerFetcher } from "./layer-fetcher.ts"
import type { ImagesDeps } from "./open-images.ts"
import type { ImageRecords, LayerRecord } from "./records.ts"
import { formatReference, parseReference, shortName, type Reference } from "./reference.ts"

// an index may name another; images in the wild go two deep
const MAX_INDEX_DEPTH = 3
// others push charts and signatures under the same manifest type
const CONFIG_TYPES = new Set<string>([MediaType.ociConfig, MediaType.dockerConfig, "application/octet-stream"])

/**
 * Brings an image in. Nothing of it is recorded before all of it is there; until then a lease holds what has come, and
 * after a kill the next pull finds the layers, or the beginning of a layer, and goes on.
 */
export async function pullImage(
  deps: ImagesDeps,
  records: ImageRecords,
  name: string,
  options: PullOptions = {},
): Promise<PullResult> {
  const { onProgress = noProgress, signal: userSignal } = options
  const stop = new AbortController()
  const signal = userSignal ? AbortSignal.any([userSignal, stop.signal]) : stop.signal
  const registries = await deps.registries()
  const source: ImageSource = await registries.open({ ...options, signal })
  const { ref, top } = await resolveFirst(await candidates(name), source, (each) => registries.checkPolicy(each))
  crashPoint("pull:manifest-fetched")

  let fetched = 0
  const result = await underLease()
  // what killed pulls left goes now, but not while nothing changes: `run` looks for a newer image each time it is told to
  if (fetched > 0) await deps.collect()
  return result

  async function underLease(): Promise<PullResult> {
    await using lease = await deps.leases.open()
    const documents = new DocumentStore(deps.content, lease, source, ref)
    const { manifest, descriptor, indexes } = await findManifest(documents, top, options, ref)
    const config = await fetchConfig(documents, manifest, options, ref)
    const layers = await joinLayers(lease, manifest, config)
    crashPoint("pull:before-record")
    const blobs = [
      ...indexes,
      descriptor.digest,
      manifest.config.digest,
      ...manifest.layers.map(({ digest }) => digest),
    ]
    const pulled = recordPulled(records, {
      name,
      ref,
      top: top.descriptor.digest,
      manifest,
      descriptor,
      config,
      layers,
      blobs,
    })
    crashPoint("pull:recorded")
    return pulled
  }

  async function candidates(text: string): Promise<Reference[]> {
    const typed = parseReference(text)
    const short = shortName(text, typed)?.replace(/:[^:]*$/, "")
    if (short === undefined) return [typed]
    const { tag, digest } = typed
    return (await registries.candidates(short)).map((each) => parseReference(formatReference({ ...each, tag, digest })))
  }

  /** Fetches the layers side by side and joins each to those below as soon as they are there. */
  async function joinLayers(lease: Lease, from: ImageManifest, { rootfs }: ImageConfig): Promise<LayerRecord[]> {
    // of the layers of an image that is here already docker says nothing
    const isKnown = records.byId(from.config.digest) !== undefined
    const report: OnProgress = (event) => {
      if (event.status === "Pull complete") fetched++
      if (!isKnown || event.status !== "Already exists") onProgress(event)
    }
    const fetcher = new LayerFetcher({ ...deps, records, lease, source, ref, onProgress: report, signal })
    await using staged = fetcher.fetchAll(from.layers, rootfs.diff_ids, chainIds(rootfs.diff_ids), (error) =>
      stop.abort(error),
    )
    const joined = await staged.join()
    crashPoint("pull:layers-joined")
    return joined
  }
}

interface Pulled {
  /** As typed. */
  name: string
  ref: Reference
  /** What the name points at in the registry. */
  top: Digest
  manifest: ImageManifest
  descriptor: Descriptor
  config: ImageConfig
  layers: readonly LayerRecord[]
  blobs: readonly Digest[]
}

/** Writes image, name and repo digest down, all or none. */
function recordPulled(records: ImageRecords, pulled: Pulled): PullResult {
  const { ref, top, manifest, descriptor, config, layers, blobs } = pulled
  const id = manifest.config.digest
  const repository = { registry: ref.registry, repository: ref.repository }
  const repoDigest = formatReference({ ...repository, digest: top })
  // what was pulled by digest is named by digest, as docker does: nobody asked the registry for the tag beside it
  const name = ref.digest === undefined ? formatReference({ ...repository, tag: ref.tag ?? "latest" }) : repoDigest
  return records.transaction(() => {
    const before = records.find(name)?.id
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
    if (ref.digest === undefined) records.setName(name, id, shortName(pulled.name, ref))
    records.setRepoDigest(repoDigest, id)
    return { image: records.get(id), name, digest: top, changed: before !== id }
  })
}

interface Resolved {
  ref: Reference
  top: Awaited<ReturnType<ImageSource["resolve"]>>
}

/** The first of the names that a registry knows; several only for a short name with several search registries. */
async function resolveFirst(
  refs: readonly Reference[],
  source: ImageSource,
  checkPolicy: (ref: Reference) => Promise<void>,
): Promise<Resolved> {
  const failures: SkiffError[] = []
  for (const ref of refs) {
    try {
      await checkPolicy(ref)
      return { ref, top: await source.resolve(ref) }
    } catch (error) {
      if (refs.length === 1 || !(error instanceof SkiffError) || error.code === "Cancelled") throw error
      failures.push(error)
    }
  }
  const code = failures.every((error) => isSkiffError(error, "NotFound")) ? "NotFound" : "Unavailable"
  throw new SkiffError(code, failures.map(({ message }) => message).join("; "), {
    hint: "say the whole name, with its registry",
    cause: new AggregateError(failures),
  })
}

/** Goes from what the name leads to, through indexes by platform, to the manifest of one image. */
async function findManifest(documents: DocumentStore, top: Resolved["top"], options: PullOptions, ref: Reference) {
  const wanted = options.platform ?? hostPlatform()
  const name = formatReference(ref)
  const indexes: Digest[] = []
  let { descriptor } = top
  let parsed: ParsedManifest = parseManifest(top.bytes, descriptor.mediaType, `manifest of ${name}`)
  await documents.keep(top.bytes, descriptor.digest)
  while (parsed.kind === "index") {
    if (indexes.push(descriptor.digest) > MAX_INDEX_DEPTH)
      throw new DataLoss(`${name}: more than ${MAX_INDEX_DEPTH} indexes, one in the other`)
    descriptor = choosePlatform(parsed.index, wanted, name)
    parsed = await documents.manifest(descriptor)
  }
  return { manifest: parsed.manifest, descriptor: { ...descriptor, mediaType: parsed.mediaType }, indexes }
}

/** The config, held against the manifest and the platform that was asked for. */
async function fetchConfig(
  documents: DocumentStore,
  { config: descriptor, layers }: ImageManifest,
  { platform }: PullOptions,
  ref: Reference,
): Promise<ImageConfig> {
  const name = formatReference(ref)
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
