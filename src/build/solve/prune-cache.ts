import { statfsSync } from "node:fs"
import { heeding, throwIfAborted, type Cancellable } from "../../base/cancel.ts"
import { hasErrno, isSkiffError } from "../../base/errors.ts"
import type { BuildDeps } from "../deps.ts"
import type { CacheUse, PruneOptions } from "../build.ts"
import { CacheMounts } from "../execute/cache-mounts.ts"
import { BuildRecords, type BuildRecord } from "./records.ts"

/** What the cache holds: layers of steps, and what `RUN --mount=type=cache` keeps. */
export async function cacheUse(deps: BuildDeps, { signal }: Cancellable = {}): Promise<CacheUse[]> {
  return await heeding(signal, "measuring the build cache", () => measured(deps, signal))
}

async function measured(deps: BuildDeps, signal: AbortSignal | undefined): Promise<CacheUse[]> {
  const records = new BuildRecords(deps.db)
  const { list, inUse } = records.transaction(() => ({
    list: records.list(),
    inUse: new Set(deps.leases.live().snapshots),
  }))
  const layers = await Promise.all(list.map((record) => useOf(deps, record, { inUse: inUse.has(record.id), signal })))
  const mounts = (await new CacheMounts(deps.root).list()).map((mount): CacheUse => {
    const { id, name: description, sizeBytes, createdAt, lastUsedAt } = mount
    return { id, type: "exec.cachemount", description, sizeBytes, createdAt, lastUsedAt, uses: 0, inUse: mount.inUse }
  })
  return [...layers, ...mounts]
}

/** Removes of the cache what nothing else needs. What a running build uses stays. Safe to repeat. */
export async function pruneCache(
  deps: BuildDeps,
  options: PruneOptions,
): Promise<{ ids: string[]; reclaimedBytes: number }> {
  const { all = false, olderThanMs = 0, signal } = options
  await deps.directories.sweep()
  const uses = (await cacheUse(deps, { signal })).toSorted((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime())
  const before = Date.now() - olderThanMs
  const remover = new Remover(deps, all)
  let left = uses.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const keepBytes = bytesToKeep(options, left, freeSpace(deps.root))
  const gone = new Set<CacheUse>()
  // a layer that others stand on goes after them
  for (let found = true; found;) {
    found = false
    for (const use of uses) {
      if (gone.has(use) || use.lastUsedAt.getTime() > before || left <= keepBytes) continue
      throwIfAborted(signal, "pruning the build cache")
      if (!(await remover.remove(use))) continue
      gone.add(use)
      left -= use.sizeBytes
      found = true
    }
  }
  await deps.collect()
  const freed = [...gone].filter(({ id }) => !remover.isKept(id))
  return { ids: [...gone].map(({ id }) => id), reclaimedBytes: freed.reduce((sum, use) => sum + use.sizeBytes, 0) }
}

/** As BuildKit's garbage collection counts (moby/buildkit cache/manager.go, calculateKeepBytes). */
export function bytesToKeep(
  { maxUsedBytes, minFreeBytes, reservedBytes = 0 }: PruneOptions,
  usedBytes: number,
  freeBytes: number,
): number {
  if (maxUsedBytes === undefined && minFreeBytes === undefined) return reservedBytes
  const untilFree = minFreeBytes === undefined ? Infinity : usedBytes - Math.max(0, minFreeBytes - freeBytes)
  return Math.max(reservedBytes, Math.min(maxUsedBytes ?? Infinity, untilFree))
}

function freeSpace(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** Removes single records and caches, each unless something needs it at that moment. */
class Remover {
  readonly #deps: BuildDeps
  readonly #all: boolean
  readonly #records: BuildRecords
  readonly #mounts: CacheMounts
  readonly #snapshots = new Map<string, BuildRecord["snapshot"]>()

  constructor(deps: BuildDeps, all: boolean) {
    this.#deps = deps
    this.#all = all
    this.#records = new BuildRecords(deps.db)
    this.#mounts = new CacheMounts(deps.root)
  }

  async remove({ id, type }: CacheUse): Promise<boolean> {
    return type === "exec.cachemount" ? await this.#mounts.remove(id) : this.#removeRecord(id)
  }

  /** An image or container has the layer: its space was not freed. */
  isKept(id: string): boolean {
    const snapshot = this.#snapshots.get(id)
    return snapshot !== undefined && this.#deps.snapshots.has(snapshot)
  }

  #removeRecord(id: string): boolean {
    return this.#records.transaction(() => {
      const record = this.#records.find(id)
      if (record === undefined || this.#deps.leases.live().snapshots.includes(id)) return false
      if (!this.#all && this.#deps.images.hasLayer(record.snapshot)) return false
      this.#snapshots.set(id, record.snapshot)
      return this.#records.delete(id)
    })
  }
}

async function useOf(
  { snapshots }: BuildDeps,
  record: BuildRecord,
  { inUse, signal }: Cancellable & { inUse: boolean },
): Promise<CacheUse> {
  const { id, description, createdAt, lastUsedAt, uses } = record
  const sizeBytes = await sizeOf(snapshots, record.snapshot, signal)
  return { id, type: "regular", description, sizeBytes, createdAt, lastUsedAt, uses, inUse, layer: record.snapshot }
}

/** Zero for what another process takes away, or gives its final name, at this moment. */
async function sizeOf(
  snapshots: BuildDeps["snapshots"],
  name: BuildRecord["snapshot"],
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    return (await snapshots.usage(name, signal)).bytes
  } catch (error) {
    if (isSkiffError(error, "NotFound") || hasErrno(error, "ENOENT")) return 0
    throw error
  }
}
