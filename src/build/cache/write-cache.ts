import { throttled } from "../../base/progress.ts"
import { createHash } from "node:crypto"
import { crashPoint } from "../../base/crash-point.ts"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import type { Bytes, Lease } from "../../content/content.ts"
import type { LayerForm } from "../../image/image.ts"
import { shortDigest, type DiffId } from "../../spec/digest.ts"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import type { BuildDeps } from "../deps.ts"
import type { CacheForm } from "../build.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { WorkContext } from "../execute/executor.ts"
import { CACHE_MEDIA_TYPE, MAX_MAP_BYTES, type CacheMap } from "./cache-map.ts"
import type { CacheWriter } from "./backend.ts"
import type { CollectedStep } from "./collect-steps.ts"
import { mountTar, type CollectedMount } from "./collect-mounts.ts"
import type { LazyCache, RemoteLayer } from "./lazy-cache.ts"
import { digestOf, digestOfBytes, verifiedBlob } from "./verified.ts"

/** image-spec: what readers, ours too, take of one manifest. */
const MAX_LAYERS = 500
const PARALLEL_UPLOADS = 4

/** What a cache is written with. */
export interface WriteOptions {
  deps: BuildDeps
  records: BuildRecords
  lease: Lease
  form: CacheForm
  /** What was imported. */
  remotes: readonly LazyCache[]
  work: Pick<WorkContext, "onProgress" | "signal">
}

/** Layers of the cache by what they unpack to: equal ones are one. */
type Layers = Map<DiffId, LayerSource>

type LayerSource =
  /** Its bytes as a plain tar. */
  { kind: "here"; size: number; read(): Bytes } | { kind: "remote"; remote: RemoteLayer }

/**
 * Writes a cache: layers, the map, then the document that names both, by which it is there. A killed call leaves the cache
 * that was there before.
 */
export async function writeCache(
  writer: CacheWriter,
  steps: readonly CollectedStep[],
  mounts: readonly CollectedMount[],
  options: WriteOptions,
): Promise<Descriptor> {
  const layers = layersOf(steps, mounts, options)
  if (layers.size > MAX_LAYERS)
    throw new InvalidArgument(
      `the cache would have ${layers.size} layers, and only ${MAX_LAYERS} can be imported again`,
      {
        hint: "export only those of the image: mode=min",
      },
    )
  const { form, work } = options
  const sent = await sendAll(layers, new LayerSender(writer, options))
  crashPoint("cache:layers-sent")
  const map = mapOf(
    [...sent.keys()],
    wholeSteps(steps, sent),
    mounts.filter(({ diffId }) => sent.has(diffId)),
  )
  work.onProgress({ id: "config", stage: "cache-writing-config" })
  const config = await putDocument(writer, map, CACHE_MEDIA_TYPE)
  crashPoint("cache:config-sent")
  const document =
    form.document === "manifest" ? manifestOf(config, [...sent.values()]) : indexOf(config, [...sent.values()], form)
  const bytes = Buffer.from(JSON.stringify(document))
  const descriptor = { mediaType: document.mediaType, digest: digestOfBytes(bytes, config.digest), size: bytes.length }
  work.onProgress({ id: "manifest", stage: "cache-writing-manifest", subject: descriptor.digest })
  await writer.publish(bytes, descriptor)
  crashPoint("cache:published")
  return descriptor
}

/** Without those whose layer, or that of a step below, is nowhere any more. */
function wholeSteps(steps: readonly CollectedStep[], sent: ReadonlyMap<DiffId, Descriptor>): CollectedStep[] {
  const indexes = new Map<number, number>()
  const whole: CollectedStep[] = []
  for (const [index, step] of steps.entries()) {
    const parent = step.parent === undefined ? undefined : indexes.get(step.parent)
    if (!sent.has(step.diffId) || (step.parent !== undefined && parent === undefined)) continue
    indexes.set(index, whole.push({ ...step, parent }) - 1)
  }
  return whole
}

/**
 * Gives the layers as they are there now. Throws the first failure, once all that were begun have ended: nothing goes on
 * behind the caller's back.
 */
async function sendAll(layers: Layers, sender: LayerSender): Promise<Map<DiffId, Descriptor>> {
  const limit = limiter(PARALLEL_UPLOADS)
  let failure: { error: unknown } | undefined
  const ended = await Promise.allSettled(
    [...layers].map(([diffId, source]) =>
      limit(async () => {
        if (failure !== undefined) throw failure.error
        return [diffId, await sender.send(diffId, source)] as const
      }).catch((error: unknown) => {
        failure ??= { error }
        throw error
      }),
    ),
  )
  if (failure !== undefined) throw failure.error
  const sent = new Map<DiffId, Descriptor>()
  for (const each of ended) {
    const [diffId, descriptor] = each.status === "fulfilled" ? each.value : []
    if (diffId !== undefined && descriptor !== undefined) sent.set(diffId, descriptor)
  }
  return sent
}

function layersOf(
  steps: readonly CollectedStep[],
  mounts: readonly CollectedMount[],
  { records, deps }: WriteOptions,
): Layers {
  const layers: Layers = new Map()
  for (const { diffId, origin } of steps) {
    if (origin.kind === "remote") {
      const remote = origin.cache.layerOf(origin.step)
      if (remote !== undefined && !layers.has(diffId)) layers.set(diffId, { kind: "remote", remote })
      continue
    }
    const { id, size } = origin
    // another build may be giving the snapshot its final name
    const read = () => records.transaction(() => deps.snapshots.diff(records.get(id).snapshot))
    layers.set(diffId, { kind: "here", size, read })
  }
  for (const { diffId, origin } of mounts) {
    if (origin.kind === "remote") layers.set(diffId, { kind: "remote", remote: origin.layer })
    else layers.set(diffId, { kind: "here", size: origin.size, read: () => mountTar(origin.path) })
  }
  return layers
}

class LayerSender {
  readonly #writer: CacheWriter
  readonly #options: WriteOptions

  constructor(writer: CacheWriter, options: WriteOptions) {
    this.#writer = writer
    this.#options = options
  }

  /** Sees to it that the cache has the layer; gives it as it is there, or undefined where nobody has it any more. */
  async send(diffId: DiffId, source: LayerSource): Promise<Descriptor | undefined> {
    const { work } = this.#options
    const id = shortDigest(diffId)
    const descriptor = await (source.kind === "here" ? this.#own(diffId, source, id) : this.#handOn(source.remote, id))
    if (descriptor === undefined) work.onProgress({ id, stage: "cache-layer-gone" })
    else work.onProgress({ id, stage: "cache-layer-written", current: descriptor.size, total: descriptor.size })
    return descriptor
  }

  async #own(diffId: DiffId, { size, read }: LayerSource & { kind: "here" }, id: string): Promise<Descriptor> {
    const { deps, lease, form, work, remotes } = this.#options
    const plain = { mediaType: layerType("none", form.mediaTypes), digest: diffId, size }
    const wanted = layerType(form.layers.compression, form.mediaTypes)
    // a build that imports from where it exports to has nothing to compress
    for (const { descriptor } of remotes.flatMap((cache) => cache.layerOfContents(diffId) ?? []))
      if (descriptor.mediaType === wanted && (await this.#writer.has(descriptor))) return descriptor
    if (wanted === plain.mediaType) {
      await this.#writer.put(plain, (offset) => from(read(), offset), this.#progress(id, size))
      return plain
    }
    const made = await deps.images.compressLayer(plain, form.layers, {
      lease,
      read,
      isThere: (descriptor) => this.#writer.has(descriptor),
      onProgress: (taken) => work.onProgress({ id, stage: "compressing", current: taken, total: size }),
    })
    await this.#writer.put(
      made,
      (offset) => deps.content.read(made.digest, { start: offset }),
      this.#progress(id, made.size),
    )
    return made
  }

  /** From the cache that it was imported from, as it is. */
  async #handOn({ descriptor, cache }: RemoteLayer, id: string): Promise<Descriptor | undefined> {
    const { signal } = this.#options.work
    let isGone = false
    async function* read(offset: number): Bytes {
      try {
        yield* from(verifiedBlob(cache.reader, descriptor, signal), offset)
      } catch (error) {
        isGone = isSkiffError(error, "NotFound")
        throw error
      }
    }
    try {
      await this.#writer.put(descriptor, (offset) => read(offset), this.#progress(id, descriptor.size))
      return descriptor
    } catch (error) {
      if (!isGone) throw error
      return undefined
    }
  }

  #progress(id: string, total: number): (sent: number) => void {
    const { work } = this.#options
    return throttled((current) => work.onProgress({ id, stage: "cache-writing-layer", current, total }))
  }
}

/** image-spec media-types.md; Docker has none for zstd. */
function layerType(compression: LayerForm["compression"], mediaTypes: CacheForm["mediaTypes"]): string {
  if (compression === "zstd") return MediaType.ociLayerZstd
  const [plain, gzip] =
    mediaTypes === "oci"
      ? [MediaType.ociLayer, MediaType.ociLayerGzip]
      : [MediaType.dockerLayer, MediaType.dockerLayerGzip]
  return compression === "gzip" ? gzip : plain
}

function mapOf(
  layers: readonly DiffId[],
  steps: readonly CollectedStep[],
  mounts: readonly CollectedMount[],
): CacheMap {
  const indexes = new Map(layers.map((diffId, position) => [diffId, position]))
  const indexOfLayer = (diffId: DiffId): number => indexes.get(diffId) ?? 0
  return {
    layers,
    steps: steps.map(({ keys, parent, diffId, slot, description, parts, created }) => ({
      keys: [...keys],
      parent,
      layer: indexOfLayer(diffId),
      slot,
      description,
      parts,
      created,
    })),
    mounts: mounts.map(({ key, diffId, mode, uid, gid }) => ({ key, layer: indexOfLayer(diffId), mode, uid, gid })),
  }
}

/** An artifact (image-spec manifest.md#guidelines-for-artifact-usage). */
function manifestOf(config: Descriptor, layers: readonly Descriptor[]) {
  const mediaType = MediaType.ociManifest
  return { schemaVersion: 2, mediaType, artifactType: CACHE_MEDIA_TYPE, config, layers }
}

/** As buildkit wrote its own at first: the blobs in the place of manifests. */
function indexOf(config: Descriptor, layers: readonly Descriptor[], { mediaTypes }: CacheForm) {
  const mediaType = mediaTypes === "oci" ? MediaType.ociIndex : MediaType.dockerList
  return { schemaVersion: 2, mediaType, manifests: [...layers, config] }
}

async function putDocument(writer: CacheWriter, document: object, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document))
  if (bytes.length > MAX_MAP_BYTES)
    throw new InvalidArgument(
      `the list of steps would have ${bytes.length} bytes, and only ${MAX_MAP_BYTES} can be imported again`,
    )
  const digest = digestOf("sha256", createHash("sha256").update(bytes))
  const descriptor = { mediaType, digest, size: bytes.length }
  await writer.put(descriptor, async function* (offset) {
    yield bytes.subarray(offset)
  })
  return descriptor
}

async function* from(bytes: Bytes, offset: number): Bytes {
  let skip = offset
  for await (const chunk of bytes) {
    const rest = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - rest.length
    if (rest.length > 0) yield rest
  }
}
