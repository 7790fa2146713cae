import { DataLoss, Unsupported } from "../../base/errors.ts"
import type { DiffId } from "../../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../../spec/oci-image.ts"
import { parseDocument } from "../../spec/parse-document.ts"
import { MAX_CONFIG_BYTES, parseImageConfig } from "../../spec/parse-image-config.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import {
  BUILDKIT_MEDIA_TYPE,
  CACHE_MEDIA_TYPE,
  INLINE_FIELD,
  MAX_MAP_BYTES,
  MAX_MAP_VALUES,
  parseCacheMap,
  type CacheMap,
} from "./cache-map.ts"
import type { CacheReader } from "./backend.ts"
import { digestOfBytes, wholeBlob } from "./verified.ts"

/** A cache whose map has been read; its layers come when they are asked for. */
export interface OpenedCache {
  reader: CacheReader
  map: CacheMap
  /** As the map counts them. */
  layers: readonly CacheLayer[]
}

/** A layer of a cache: its blob, and what that decompresses to. */
export interface CacheLayer {
  descriptor: Descriptor
  diffId: DiffId
}

const LAYER_TYPE = /^application\/vnd\.(?:oci|docker)\.[\w.+-]{1,100}$/
/** Of an image of several platforms each may hold a cache. */
const MAX_PLATFORMS = 20

/**
 * Reads what lies at a place: a cache of its own, or images with one inside; none of them: an empty list. Throws NotFound,
 * PermissionDenied, Unavailable; Unsupported for what is no cache of ours; DataLoss for what is not what it says.
 */
export async function readCache(reader: CacheReader, signal: AbortSignal): Promise<OpenedCache[]> {
  return await new CacheDocuments(reader, signal).open(await reader.top())
}

type Document = Awaited<ReturnType<CacheReader["top"]>>

class CacheDocuments {
  readonly #reader: CacheReader
  readonly #signal: AbortSignal

  constructor(reader: CacheReader, signal: AbortSignal) {
    this.#reader = reader
    this.#signal = signal
  }

  async open({ descriptor, bytes }: Document): Promise<OpenedCache[]> {
    const parsed = parseManifest(
      this.#checked(descriptor, bytes),
      descriptor.mediaType,
      `the cache ${this.#reader.name}`,
    )
    if (parsed.kind === "manifest") return await this.#ofManifest(parsed.manifest)
    const { manifests } = parsed.index
    const config = manifests.find(({ mediaType }) => mediaType === CACHE_MEDIA_TYPE)
    if (config !== undefined)
      return [
        await this.#ofMap(
          config,
          manifests.filter((each) => each !== config),
        ),
      ]
    if (manifests.some(({ mediaType }) => mediaType === BUILDKIT_MEDIA_TYPE)) throw this.#foreign(BUILDKIT_MEDIA_TYPE)
    return await this.#ofImages(manifests)
  }

  /** The images of several platforms. Attestations stand beside them. */
  async #ofImages(manifests: readonly Descriptor[]): Promise<OpenedCache[]> {
    const images = manifests.filter(({ platform }) => platform !== undefined && platform.os !== "unknown")
    const opened: OpenedCache[] = []
    for (const { digest } of images.slice(0, MAX_PLATFORMS)) {
      const { descriptor, bytes } = await this.#reader.document(digest)
      const parsed = parseManifest(this.#checked({ ...descriptor, digest }, bytes), descriptor.mediaType)
      if (parsed.kind === "manifest") opened.push(...(await this.#ofManifest(parsed.manifest)))
    }
    return opened
  }

  async #ofManifest({ config, layers }: ImageManifest): Promise<OpenedCache[]> {
    if (config.mediaType === CACHE_MEDIA_TYPE) return [await this.#ofMap(config, layers)]
    if (config.mediaType !== MediaType.ociConfig && config.mediaType !== MediaType.dockerConfig)
      throw this.#foreign(config.mediaType)
    return await this.#inline(config, layers)
  }

  async #ofMap(config: Descriptor, layers: readonly Descriptor[]): Promise<OpenedCache> {
    const what = `map of the cache ${this.#reader.name}`
    const document = parseDocument(await this.#blob(config, MAX_MAP_BYTES), MAX_MAP_BYTES, what, MAX_MAP_VALUES)
    const map = parseCacheMap(document, layers.length, what)
    return { reader: this.#reader, map, layers: this.#joined(layers, map.layers, what) }
  }

  /** In an image's config: the layers are the image's. */
  async #inline(config: Descriptor, layers: readonly Descriptor[]): Promise<OpenedCache[]> {
    const what = `config of ${this.#reader.name}`
    const bytes = await this.#blob(config, MAX_CONFIG_BYTES)
    const field = parseDocument(bytes, MAX_CONFIG_BYTES, what)[INLINE_FIELD]
    if (field === undefined) return []
    const { diff_ids: diffIds } = parseImageConfig(bytes, what).rootfs
    const map = parseCacheMap(field, diffIds.length, `cache in the ${what}`)
    return [{ reader: this.#reader, map, layers: this.#joined(layers, diffIds, what) }]
  }

  #joined(descriptors: readonly Descriptor[], diffIds: readonly DiffId[], what: string): CacheLayer[] {
    if (descriptors.length !== diffIds.length)
      throw new DataLoss(`the ${what} names ${diffIds.length} layers, its manifest ${descriptors.length}`, {
        hint: "do not trust this cache",
      })
    return descriptors.flatMap((descriptor, index) => {
      const diffId = diffIds[index]
      // image-spec descriptor.md: `urls` would lead to other places than the one that the user named
      const { mediaType, digest, size } = descriptor
      // it goes on to where this build exports to
      if (!LAYER_TYPE.test(mediaType))
        throw new DataLoss(`the ${what} has a layer of type "${mediaType.slice(0, 200)}"`)
      return diffId === undefined ? [] : [{ descriptor: { mediaType, digest, size }, diffId }]
    })
  }

  async #blob(descriptor: Descriptor, maxBytes: number): Promise<Uint8Array> {
    const { mediaType, digest, size } = descriptor
    return await wholeBlob(this.#reader, { mediaType, digest, size }, maxBytes, this.#signal)
  }

  #checked({ digest }: Descriptor, bytes: Uint8Array): Uint8Array {
    const is = digestOfBytes(bytes, digest)
    if (is !== digest)
      throw new DataLoss(`a document of the cache ${this.#reader.name} has digest ${is}, expected ${digest}`)
    return bytes
  }

  #foreign(mediaType: string): Unsupported {
    const whose = mediaType.startsWith("application/vnd.buildkit.") ? " made by BuildKit, whose keys" : ", whose keys"
    return new Unsupported(`${this.#reader.name} is "${mediaType.slice(0, 200)}"${whose} say nothing to skiff`)
  }
}
