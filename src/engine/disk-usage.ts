/** What the store takes on disk, by what it belongs to: allocated bytes, as du counts them. */
import { existsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import { hasErrno, isSkiffError } from "../base/errors.ts"
import type { Builds, CacheUse } from "../build/build.ts"
import type { WorkingContainers } from "../builder/builder.ts"
import { workingKey } from "../builder/records.ts"
import type { Container, Containers } from "../container/container.ts"
import type { ContentStore } from "../content/content.ts"
import type { Image, Images } from "../image/image.ts"
import type { Network, Networks } from "../network/network.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { treeUsage } from "../sys/fs/tree-usage.ts"
import type { Digest } from "../spec/digest.ts"
import type { Volume, Volumes } from "../volume/volume.ts"

/** An image, and what would be free without it. */
export interface ImageUse {
  image: Image
  /** With what it shares. */
  sizeBytes: number
  /** Of layers and blobs that another image has, too. */
  sharedBytes: number
  /** Containers of it, working ones too, in whatever state. */
  containers: number
}

/** A container, running or not. */
export interface ContainerUse {
  container: Container
  /** Its writable layer, and its log. */
  sizeBytes: number
}

/** A volume, and who has it. */
export interface VolumeUse {
  volume: Volume
  sizeBytes: number
  /** How many containers mount it. */
  links: number
}

/** A network, and who is on it. It takes a record. */
export interface NetworkUse {
  network: Network
  /** How many containers and pods are on it when they run. */
  links: number
}

/** An entry of the build cache. */
export interface CacheEntryUse extends CacheUse {
  /** An image has that layer: it is counted there. */
  isShared: boolean
}

/** All of the store, but for its records and its caches of seccomp filters. */
export interface DiskUsage {
  images: readonly ImageUse[]
  /** Of all images, each layer and blob once; with blobs that no image has. */
  imageBytes: number
  /** Of it, what no container stands on. */
  reclaimableImageBytes: number
  /** What images may take; undefined: anything. */
  maxImageBytes: number | undefined
  containers: readonly ContainerUse[]
  volumes: readonly VolumeUse[]
  networks: readonly NetworkUse[]
  cache: readonly CacheEntryUse[]
  /** Of `builder from`: each with its own layer. */
  workingBytes: number
}

/** What is measured. */
export interface DiskUsageDeps {
  root: string
  images: Images
  containers: Containers
  workingContainers: WorkingContainers
  volumes: Volumes
  builds: Builds
  snapshots: Snapshotter
  content: ContentStore
  /** The blobs of each image. */
  imageBlobs(): ReadonlyMap<Digest, readonly Digest[]>
  /** The containers that mount a volume. */
  volumeUsers(name: string): readonly unknown[]
  networks: Pick<Networks, "list">
  /** Containers and pods that are on a network when they run. */
  networkUsers(network: Network): readonly unknown[]
}

/** Reads everything in the store: as slow as du. What goes meanwhile counts nothing. */
export async function diskUsage(deps: DiskUsageDeps, { signal }: Cancellable = {}): Promise<DiskUsage> {
  const sizes = new Sizes(deps, signal)
  const containers = deps.containers.list({ all: true })
  const workers = deps.workingContainers.list()
  const images = await imagesUse(deps, sizes, {
    containers,
    workers: workers.map(({ imageId }) => imageId),
  })
  const containerUses: ContainerUse[] = []
  for (const container of containers)
    containerUses.push({ container, sizeBytes: await containerBytes(deps, container, sizes) })
  const volumes: VolumeUse[] = []
  for (const volume of deps.volumes.list())
    volumes.push({
      volume,
      sizeBytes: await sizes.volume(deps.volumes, volume.name),
      links: deps.volumeUsers(volume.name).length,
    })
  const cache = (await deps.builds.diskUsage({ signal })).map((use) =>
    Object.assign(use, { isShared: use.layer !== undefined && deps.images.hasLayer(use.layer) }),
  )
  let workingBytes = 0
  for (const { id } of workers) workingBytes += await sizes.snapshot(workingKey({ id }))
  const networks = deps.networks.list().map((network) => ({ network, links: deps.networkUsers(network).length }))
  const maxImageBytes = deps.images.maxBytes
  return { ...images, maxImageBytes, containers: containerUses, volumes, networks, cache, workingBytes }
}

async function imagesUse(
  deps: DiskUsageDeps,
  sizes: Sizes,
  used: { containers: readonly Container[]; workers: readonly (Digest | undefined)[] },
): Promise<Pick<DiskUsage, "images" | "imageBytes" | "reclaimableImageBytes">> {
  const blobs = deps.imageBlobs()
  const owners = new Map<string, { bytes: number; images: Image[] }>()
  const list = deps.images.list()
  for (const image of list) {
    for (const { chainId } of deps.images.layers(image)) await own(chainId, image, () => sizes.snapshot(chainId))
    for (const digest of blobs.get(image.id) ?? []) await own(digest, image, () => blobBytes(deps.content, digest))
  }
  async function own(name: string, image: Image, measure: () => number | Promise<number>): Promise<void> {
    const known = owners.get(name)
    if (known) known.images.push(image)
    else owners.set(name, { bytes: await measure(), images: [image] })
  }
  const users = (image: Image): number =>
    used.containers.filter(({ imageId }) => imageId === image.id).length +
    used.workers.filter((id) => id === image.id).length
  const inUse = new Set(list.filter((image) => users(image) > 0))
  let [imageBytes, reclaimableImageBytes] = [0, 0]
  const parts = new Map(list.map((image) => [image, { sizeBytes: 0, sharedBytes: 0 }]))
  for (const { bytes, images } of owners.values()) {
    imageBytes += bytes
    if (!images.some((image) => inUse.has(image))) reclaimableImageBytes += bytes
    for (const image of images) {
      const part = parts.get(image)
      if (part === undefined) continue
      part.sizeBytes += bytes
      if (images.length > 1) part.sharedBytes += bytes
    }
  }
  for (const { digest } of deps.content.list())
    if (!owners.has(digest)) {
      const bytes = blobBytes(deps.content, digest)
      imageBytes += bytes
      reclaimableImageBytes += bytes
    }
  const uses = list.map((image) => {
    const { sizeBytes = 0, sharedBytes = 0 } = parts.get(image) ?? {}
    return { image, sizeBytes, sharedBytes, containers: users(image) }
  })
  return { images: uses, imageBytes, reclaimableImageBytes }
}

/** The log lies in a directory of the container's, or where its user wants it. */
async function containerBytes({ root }: DiskUsageDeps, { id, logPath }: Container, sizes: Sizes): Promise<number> {
  const own = join(root, "containers", id)
  const elsewhere = logPath !== undefined && dirname(logPath) !== own ? await sizes.file(logPath) : 0
  return (await sizes.snapshot(id)) + (existsSync(own) ? await sizes.tree(own) : 0) + elsewhere
}

const BLOCK_BYTES = 512

function blobBytes(content: ContentStore, digest: Digest): number {
  try {
    return statSync(content.path(digest)).blocks * BLOCK_BYTES
  } catch (error) {
    if (hasErrno(error, "ENOENT") || isSkiffError(error, "NotFound")) return 0
    throw error
  }
}

/** Zero for what is not there, or goes meanwhile. */
class Sizes {
  readonly #deps: Pick<DiskUsageDeps, "snapshots">
  readonly #signal: AbortSignal | undefined

  constructor(deps: Pick<DiskUsageDeps, "snapshots">, signal: AbortSignal | undefined) {
    this.#deps = deps
    this.#signal = signal
  }

  snapshot(name: string): Promise<number> {
    return this.#measure(async () => (await this.#deps.snapshots.usage(name, this.#signal)).bytes)
  }

  tree(path: string): Promise<number> {
    return this.#measure(async () => (await treeUsage(path, this.#signal)).bytes)
  }

  volume(volumes: Volumes, name: string): Promise<number> {
    return this.#measure(async () => (await volumes.usage(name, { signal: this.#signal })).bytes)
  }

  file(path: string): Promise<number> {
    return this.#measure(() => Promise.resolve(statSync(path).blocks * BLOCK_BYTES))
  }

  async #measure(measure: () => Promise<number>): Promise<number> {
    throwIfAborted(this.#signal, "measuring the store")
    try {
      return await measure()
    } catch (error) {
      throwIfAborted(this.#signal, "measuring the store")
      if (isSkiffError(error, "NotFound") || hasErrno(error, "ENOENT")) return 0
      throw error
    }
  }
}
