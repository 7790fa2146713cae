/** Who goes for what all images may take on disk together. */
import { existsSync, statSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { hasErrno } from "../base/errors.ts"
import type { ContentStore } from "../content/content.ts"
import { digestHex, type Digest } from "../spec/digest.ts"
import type { StoreCap } from "./cap-settings.ts"
import type { ImagesDeps } from "./deps.ts"
import { hasNameLike } from "./filter-images.ts"
import type { EvictOptions, EvictResult, Image } from "./image.ts"
import type { ImageRecords } from "./records.ts"
import { blobsByImage } from "./referenced.ts"
import { familiarName } from "./reference.ts"
import { removeFromRecords } from "./remove-image.ts"

/** Between a pull and the container that is made of it, nothing of the store says that the image is used. */
const GRACE_MS = 60_000
const BLOCK_BYTES = 512

/** See `Images.evict`. */
export async function evictImages(
  deps: ImagesDeps,
  records: ImageRecords,
  { dryRun = false, without = new Set(), signal }: EvictOptions = {},
): Promise<EvictResult> {
  const { cap } = deps
  const result: EvictResult = { untagged: [], deleted: [], reclaimedBytes: 0, usedBytes: 0 }
  if (cap === undefined) return result
  const shares = new Shares(deps, records)
  const isProtected = await protection(deps, records, cap)
  const uses = records.lastUses()
  const [planned, left] = partition(records.list(), ({ id }) => without.has(id))
  for (const image of planned) shares.take(image)
  const oldest = left.toSorted((a, b) => (uses.get(a.id) ?? 0) - (uses.get(b.id) ?? 0))
  for (const image of oldest) {
    if (shares.usedBytes <= cap.maxBytes) break
    // one whose layers all are another's too makes no room
    if (isProtected(image) || shares.ownBytes(image) === 0) continue
    if (!dryRun) {
      const removed = evictOne(deps, records, image, isProtected)
      if (removed === undefined) continue
      result.untagged.push(...removed.untagged)
      result.deleted.push(...removed.deleted)
    } else {
      result.untagged.push(...[...image.tags, ...image.repoDigests].map(familiarName))
      result.deleted.push(image.id)
    }
    result.reclaimedBytes += shares.take(image)
  }
  result.usedBytes = shares.usedBytes
  if (result.deleted.length === 0 || dryRun) return result
  crashPoint("image:evicted")
  await deps.collect(signal)
  return result
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((one) => !test(one))]
}

/** Undefined when somebody uses it by now. */
function evictOne(
  { usedBy }: ImagesDeps,
  records: ImageRecords,
  { id }: Image,
  isProtected: (image: Image) => boolean,
): { untagged: string[]; deleted: string[] } | undefined {
  return records.transaction(() => {
    const image = records.byId(id)
    if (image === undefined || isProtected(image)) return undefined
    return removeFromRecords(records, id, usedBy, true)
  })
}

/** Looks anew each time: containers and leases come while others go. */
async function protection(
  deps: ImagesDeps,
  records: ImageRecords,
  { keep }: StoreCap,
): Promise<(image: Image) => boolean> {
  const mounted = existsSync(deps.mounts) ? (await import("./mounts.ts")).mountedImages(deps.mounts) : undefined
  return (image) => {
    if (deps.usedBy(image.id).length > 0 || mounted?.has(digestHex(image.id)) === true) return true
    if (keep.length > 0 && hasNameLike(image, keep)) return true
    if ((records.lastUses().get(image.id) ?? 0) > Date.now() - GRACE_MS) return true
    const held = records.transaction(() => deps.leases.live())
    const [blobs, snapshots] = [new Set<string>(held.blobs), new Set(held.snapshots)]
    if (blobs.has(image.manifest.digest) || blobs.has(image.id)) return true
    return records.layers(image.id).some(({ chainId }) => snapshots.has(chainId))
  }
}

/** What images take, each layer and blob once: as `diskUsage` counts it, from the records' sizes of layers. */
class Shares {
  usedBytes = 0
  readonly #parts: ReadonlyMap<Digest, readonly string[]>
  readonly #bytes = new Map<string, number>()
  readonly #users = new Map<string, number>()

  constructor({ content, db }: ImagesDeps, records: ImageRecords) {
    const blobs = blobsByImage(db)
    const parts = new Map<Digest, readonly string[]>()
    for (const { digest } of content.list()) this.#bytes.set(digest, blobBytes(content, digest))
    for (const { id } of records.list()) {
      const layers = records.layers(id)
      for (const { chainId, sizeBytes } of layers) this.#bytes.set(chainId, sizeBytes)
      const names = [...layers.map(({ chainId }) => chainId as string), ...(blobs.get(id) ?? [])]
      for (const name of names) this.#users.set(name, (this.#users.get(name) ?? 0) + 1)
      parts.set(id, names)
    }
    this.#parts = parts
    for (const bytes of this.#bytes.values()) this.usedBytes += bytes
  }

  /** Of what no other image has, its documents apart: those alone are no room. */
  ownBytes({ id, manifest }: Image): number {
    const own = (this.#parts.get(id) ?? []).filter((name) => this.#users.get(name) === 1)
    const rest = own.filter((name) => name !== id && name !== manifest.digest)
    return rest.reduce((sum, name) => sum + (this.#bytes.get(name) ?? 0), 0)
  }

  /** It is gone; gives what that frees. */
  take({ id }: Image): number {
    let freed = 0
    for (const name of this.#parts.get(id) ?? []) {
      const left = (this.#users.get(name) ?? 0) - 1
      this.#users.set(name, left)
      if (left === 0) freed += this.#bytes.get(name) ?? 0
    }
    this.usedBytes -= freed
    return freed
  }
}

function blobBytes(content: ContentStore, digest: Digest): number {
  try {
    return statSync(content.path(digest)).blocks * BLOCK_BYTES
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return 0
    throw error
  }
}
