/** Removes what nobody uses, of several kinds in the order in which one lets go of the next: pods, containers, networks, volumes, images, build cache. */
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import { isSkiffError } from "../base/errors.ts"
import type { Builds } from "../build/build.ts"
import type { WorkingContainers } from "../builder/builder.ts"
import type { Container, Containers } from "../container/container.ts"
import { familiarName, type Image, type Images } from "../image/image.ts"
import type { Digest } from "../spec/digest.ts"
import { DEFAULT_NETWORK, type Network, type Networks } from "../network/network.ts"
import type { Pods } from "../pod/pod.ts"
import type { Volume, Volumes } from "../volume/volume.ts"

export type PruneKind = "pods" | "containers" | "networks" | "volumes" | "images" | "cache"

/** What a filter looks at. */
export interface Prunable {
  createdAt: Date
  labels: Readonly<Record<string, string>>
}

export interface PruneRequest extends Cancellable {
  kinds: readonly PruneKind[]
  /** Images that have a name, and cache that an image has, too. */
  all?: boolean
  /** Volumes that have a name, too. */
  allVolumes?: boolean
  /** Default: everything. Cache has no labels: it is not asked. */
  isAsked?(thing: Prunable): boolean
  /** Volumes alone; `isAsked` is asked as well. Default: everything. */
  isAskedVolume?(volume: Volume): boolean
  /** Of cache: only what was not used for so long. */
  unusedForMs?: number
  /** Tells what would go. */
  dryRun?: boolean
}

/** What went, or would go. */
export interface PruneReport {
  /** With their containers. */
  pods: string[]
  containers: string[]
  /** Their names. */
  networks: string[]
  volumes: string[]
  /** As docker lists them: names, then images and layers. */
  images: { untagged: string[]; deleted: string[] }
  cache: string[]
  reclaimedBytes: number
  /** Pods and containers that could not be removed, and why. */
  failures: unknown[]
}

/** What is pruned. */
export interface PruneDeps {
  pods: Pods
  containers: Containers
  networks: Networks
  volumes: Volumes
  images: Images
  builds: Builds
  workingContainers: WorkingContainers
  /** The containers that mount a volume. */
  volumeUsers(name: string): readonly { id: string }[]
  /** Containers and pods that are on a network when they run. */
  networkUsers(network: Network): readonly { id: string }[]
}

/** Safe to repeat, and beside all else: what is in use by the time stays. */
export async function prune(deps: PruneDeps, request: PruneRequest): Promise<PruneReport> {
  const report = newReport()
  for (const kind of ["pods", "containers", "networks", "volumes", "images", "cache"] as const) {
    if (!request.kinds.includes(kind)) continue
    throwIfAborted(request.signal, "the pruning")
    await STEPS[kind](deps, request, report)
  }
  return report
}

type Step = (deps: PruneDeps, request: PruneRequest, report: PruneReport) => Promise<void>

const STEPS: Readonly<Record<PruneKind, Step>> = {
  async pods(deps, request, report) {
    for (const pod of await deps.pods.list({ status: ["exited", "stopped"] })) {
      if (request.isAsked?.({ createdAt: pod.createdAt, labels: pod.options.labels ?? {} }) === false) continue
      try {
        const abort = request.signal
        const sizes = await Promise.all(pod.containers.map(({ id }) => deps.containers.size(id, { abort })))
        if (!request.dryRun) await deps.pods.remove(pod.id, { signal: abort })
        report.pods.push(pod.id)
        report.reclaimedBytes += sizes.reduce((sum, { writableBytes }) => sum + writableBytes, 0)
      } catch (error) {
        if (isSkiffError(error, "NotFound")) continue // another process was first
        report.failures.push(error)
      }
    }
  },

  async containers(deps, request, report) {
    for (const container of stoppedContainers(deps, request)) {
      try {
        const { writableBytes } = await deps.containers.size(container.id, { abort: request.signal })
        if (!request.dryRun) await deps.containers.remove(container.id, { abort: request.signal })
        report.containers.push(container.id)
        report.reclaimedBytes += writableBytes
      } catch (error) {
        if (isSkiffError(error, "NotFound")) continue // another process was first
        report.failures.push(error)
      }
    }
  },

  async networks(deps, request, report) {
    const gone = await removedUsers(deps, report)
    for (const network of deps.networks.list()) {
      // what a file of the host configures is an administrator's
      if (network.name === DEFAULT_NETWORK || network.driver === "cni") continue
      const asked = { createdAt: network.createdAt, labels: network.options.labels ?? {} }
      if (request.isAsked?.(asked) === false) continue
      const users = deps.networkUsers(network).filter(({ id }) => !gone.has(id))
      if (users.length > 0) continue
      try {
        if (!request.dryRun) await deps.networks.remove(network)
        report.networks.push(network.name)
      } catch (error) {
        // in use by now, or gone
        if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
      }
    }
  },

  async volumes(deps, request, report) {
    for (const volume of deps.volumes.list()) {
      if (!isPrunable(volume, request)) continue
      const users = deps.volumeUsers(volume.name).filter(({ id }) => !report.containers.includes(id))
      if (users.length > 0) continue
      try {
        const { bytes } = await deps.volumes.usage(volume.name, { signal: request.signal })
        if (!request.dryRun) await deps.volumes.remove(volume.name, { signal: request.signal })
        report.volumes.push(volume.name)
        report.reclaimedBytes += bytes
      } catch (error) {
        // in use by now, or gone
        if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
      }
    }
  },

  async images(deps, request, report) {
    const ids = await askedImages(deps, request)
    const { signal, all, dryRun } = request
    if (dryRun) planImages(deps, { request, report, ids })
    else addImages(report, await deps.images.prune({ all, ids, ...(signal && { signal }) }))
    // what has no cap evicts nothing; what has one holds it whatever else was asked
    const without = new Set(report.images.deleted)
    addImages(report, await deps.images.evict({ dryRun: dryRun === true, without, ...(signal && { signal }) }))
  },

  async cache({ builds, images }, { all, unusedForMs, dryRun, signal }, report) {
    if (!dryRun) {
      const { ids, reclaimedBytes } = await builds.prune({ all, olderThanMs: unusedForMs, signal })
      report.cache = ids
      report.reclaimedBytes += reclaimedBytes
      return
    }
    const before = Date.now() - (unusedForMs ?? 0)
    for (const { id, inUse, layer, lastUsedAt, sizeBytes } of await builds.diskUsage({ signal })) {
      const isShared = layer !== undefined && images.hasLayer(layer)
      if (inUse || lastUsedAt.getTime() > before || (isShared && !all)) continue
      report.cache.push(id)
      if (!isShared) report.reclaimedBytes += sizeBytes
    }
  },
}

function addImages(report: PruneReport, more: { untagged: string[]; deleted: string[]; reclaimedBytes: number }): void {
  report.images.untagged.push(...more.untagged)
  report.images.deleted.push(...more.deleted)
  report.reclaimedBytes += more.reclaimedBytes
}

/** Ids of containers and sandboxes that went before, or would. */
async function removedUsers({ pods }: PruneDeps, report: PruneReport): Promise<ReadonlySet<string>> {
  const removed = report.pods.length === 0 ? [] : (await pods.list()).filter(({ id }) => report.pods.includes(id))
  const members = removed.flatMap(({ containers }) => containers.map(({ id }) => id))
  return new Set([...report.containers, ...members, ...removed.flatMap(({ sandboxId }) => sandboxId ?? [])])
}

function newReport(): PruneReport {
  return {
    pods: [],
    containers: [],
    networks: [],
    volumes: [],
    images: { untagged: [], deleted: [] },
    cache: [],
    reclaimedBytes: 0,
    failures: [],
  }
}

function stoppedContainers({ containers }: PruneDeps, { isAsked }: PruneRequest): Container[] {
  return containers
    .list({ all: true, status: ["exited", "created"] })
    .filter(({ createdAt, options: { labels } }) => isAsked?.({ createdAt, labels }) ?? true)
}

function isPrunable(volume: Volume, { allVolumes, isAsked, isAskedVolume }: PruneRequest): boolean {
  if (isAskedVolume?.(volume) === false) return false
  return (volume.anonymous || allVolumes === true) && (isAsked?.(volume) ?? true)
}

/** Undefined: all. The labels of an image are in its config. */
async function askedImages({ images }: PruneDeps, { isAsked }: PruneRequest): Promise<ReadonlySet<Digest> | undefined> {
  if (isAsked === undefined) return undefined
  const asked = new Set<Digest>()
  for (const image of images.list()) {
    const { config } = await images.config(image)
    if (isAsked({ createdAt: image.createdAt ?? new Date(0), labels: config?.Labels ?? {} })) asked.add(image.id)
  }
  return asked
}

/** Which images `Images.prune` would take, once the containers are gone that are pruned before. */
function planImages(
  { images, containers, workingContainers }: PruneDeps,
  { request, report, ids }: { request: PruneRequest; report: PruneReport; ids: ReadonlySet<Digest> | undefined },
): void {
  const used = new Set<Digest | undefined>([
    ...containers.list({ all: true }).flatMap(({ id, imageId }) => (report.containers.includes(id) ? [] : [imageId])),
    ...workingContainers.list().map(({ imageId }) => imageId),
  ])
  const goes = ({ id, tags }: Image): boolean =>
    (request.all === true || tags.length === 0) && ids?.has(id) !== false && !used.has(id)
  const list = images.list()
  const kept = new Set(
    list.filter((image) => !goes(image)).flatMap((image) => layersOf(images, image).map(({ chainId }) => chainId)),
  )
  const freed = new Map<string, number>()
  for (const image of list.filter(goes)) {
    report.images.untagged.push(...[...image.tags, ...image.repoDigests].map((name) => familiarName(name)))
    report.images.deleted.push(image.id)
    for (const { chainId, sizeBytes } of layersOf(images, image)) if (!kept.has(chainId)) freed.set(chainId, sizeBytes)
  }
  report.images.deleted.push(...freed.keys())
  for (const sizeBytes of freed.values()) report.reclaimedBytes += sizeBytes
}

const layersOf = (images: Images, image: Image) => images.layers(image)
