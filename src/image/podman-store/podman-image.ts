import { existsSync } from "node:fs"
import { join } from "node:path"
import { joinStorageSplit, storageSplitBytes } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { DataLoss, FailedPrecondition, NotFound, Unsupported } from "../../base/errors.ts"
import { type Digest, type DiffId } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { MAX_CONFIG_BYTES, parseImageConfig } from "../../spec/parse-image-config.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import { digestOf } from "../documents.ts"
import type { ImageSource, ResolvedManifest } from "../image.ts"
import { withLayers } from "../layer-compressor.ts"
import { layerTree } from "./find-store.ts"
import { readWithin, type PodmanStore, type StoredImage, type StoredLayer } from "./podman-store.ts"

/** An image of podman's store, to be fetched. */
export interface PodmanImage {
  source: ImageSource
  top: ResolvedManifest
}

/**
 * The store keeps layers unpacked, each with its tar-split, so that they come out as the plain tars that their diff ids are of: the
 * image's id stays. The manifest stays where it names such layers; else it names them now, and has another digest, which
 * `preserveDigests` refuses. Throws DataLoss, Unsupported, FailedPrecondition.
 */
export async function openPodmanImage(
  store: PodmanStore,
  image: StoredImage,
  { shown, preserveDigests = false }: { shown: string; preserveDigests?: boolean },
): Promise<PodmanImage> {
  const original = bigData(store, image, "manifest", MAX_MANIFEST_BYTES)
  if (original === undefined) throw new DataLoss(`${shown} has no manifest in its store`)
  const parsed = parseManifest(original, undefined, `manifest of ${shown}`)
  if (parsed.kind === "index")
    throw new Unsupported(`${shown} is a list of images, which is not read from podman's store`, {
      hint: "copy each of its images, or push the list to a registry and pull it from there",
    })
  const { manifest, mediaType } = parsed
  const config = bigData(store, image, manifest.config.digest, MAX_CONFIG_BYTES)
  if (config === undefined) throw new DataLoss(`${shown} has no config in its store`)
  const { rootfs } = parseImageConfig(config, `config of ${shown}`)
  const chain = layersOf(store, image, rootfs.diff_ids, shown)
  const descriptors: Descriptor[] = []
  for (const { diffId, layer } of chain)
    descriptors.push({
      mediaType: MediaType.ociLayer,
      digest: diffId,
      size: layer.size ?? (await sizeOf(store, layer)),
    })
  const isSame = manifest.layers.every(({ digest }, at) => digest === descriptors[at]?.digest)
  if (!isSame && preserveDigests)
    throw new FailedPrecondition(`podman keeps ${shown} unpacked, and not as its manifest names it`, {
      hint: "copy it without keeping digests, or from its registry",
    })
  const made = isSame ? { bytes: original, mediaType } : withLayers({ manifest, mediaType }, descriptors)
  const descriptor = { mediaType: made.mediaType, digest: digestOf(made.bytes), size: made.bytes.length }
  const trees = new Map<Digest, StoredLayer>(chain.map(({ diffId, layer }) => [diffId, layer]))
  return {
    source: new PodmanSource(store, trees, { digest: manifest.config.digest, bytes: config }),
    top: { descriptor, bytes: made.bytes },
  }
}

/** Lowest first; the store's own word for a diff id must be the config's. */
function layersOf(
  { layers }: PodmanStore,
  image: StoredImage,
  diffIds: readonly DiffId[],
  shown: string,
): { diffId: DiffId; layer: StoredLayer }[] {
  const chain: StoredLayer[] = []
  for (let id = image.topLayer; id !== undefined && chain.length <= diffIds.length; id = chain[0]?.parent) {
    const layer = layers.get(id)
    if (layer === undefined) throw new DataLoss(`${shown} has a layer ${id.slice(0, 12)} that its store does not know`)
    chain.unshift(layer)
  }
  if (chain.length !== diffIds.length)
    throw new DataLoss(`${shown} has ${diffIds.length} layers, and its store another number of them`)
  return diffIds.map((diffId, at) => {
    const layer = chain[at]
    if (layer === undefined || (layer.diffId !== undefined && layer.diffId !== diffId))
      throw new DataLoss(`layer ${at + 1} of ${shown} is another in its store: ${layer?.diffId}, not ${diffId}`)
    return { diffId, layer }
  })
}

class PodmanSource implements ImageSource {
  readonly #store: PodmanStore
  readonly #layers: ReadonlyMap<Digest, StoredLayer>
  readonly #config: { digest: Digest; bytes: Uint8Array }

  constructor(
    store: PodmanStore,
    layers: ReadonlyMap<Digest, StoredLayer>,
    config: { digest: Digest; bytes: Uint8Array },
  ) {
    this.#store = store
    this.#layers = layers
    this.#config = config
  }

  async resolve(): ReturnType<ImageSource["resolve"]> {
    throw new NotFound("podman's store has one manifest for an image")
  }

  async fetch(_: unknown, descriptor: Descriptor): ReturnType<ImageSource["fetch"]> {
    const { digest, bytes } = this.#config
    if (descriptor.digest === digest) return { offset: 0, bytes: once(bytes) }
    return { offset: 0, bytes: this.#layer(descriptor, false) }
  }

  readAgain(descriptor: Descriptor): Bytes {
    return this.#layer(descriptor, true)
  }

  #layer({ digest }: Descriptor, reuse: boolean): Bytes {
    const layer = this.#layers.get(digest)
    if (layer === undefined) throw new NotFound(`podman's store has no blob ${digest} for this image`)
    return joinStorageSplit(splitOf(this.#store, layer), layerTree(this.#store.location, layer.id), { reuse })
  }
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes
}

async function sizeOf(store: PodmanStore, layer: StoredLayer): Promise<number> {
  return await storageSplitBytes(splitOf(store, layer))
}

function splitOf({ location: { graphRoot, driver } }: PodmanStore, { id }: StoredLayer): string {
  const path = join(graphRoot, `${driver}-layers`, `${id}.tar-split.gz`)
  if (existsSync(path)) return path
  throw new Unsupported(`the layer ${id.slice(0, 12)} of podman's store has no tar-split, so its bytes cannot be had`, {
    hint: "save the image as docker-archive with podman, and load that",
  })
}

/** containers/storage names the files of what it calls big data by their keys: in base64 unless they are plain words. */
function bigData({ location: { graphRoot, driver } }: PodmanStore, image: StoredImage, key: string, maxBytes: number) {
  const name = /^[a-z]+$/.test(key) ? key : `=${Buffer.from(key).toString("base64")}`
  if (!/^[0-9a-f]{64}$/.test(image.id)) throw new DataLoss(`the store has an image of id "${image.id.slice(0, 80)}"`)
  return readWithin(join(graphRoot, `${driver}-images`, image.id, name), maxBytes)
}
