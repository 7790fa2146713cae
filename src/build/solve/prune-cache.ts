import type { BuildHost } from "../build-host.ts"
import type { CacheUse } from "../build.ts"
import { BuildRecords, type BuildRecord } from "./records.ts"
import { sweepBuilds } from "./work-folder.ts"

export interface PruneOptions {
  /** Also what images have; else only what no image has. */
  all?: boolean
  /** Only what was not used for so long. */
  olderThanMs?: number
  /** Oldest first, until no more than this is left. */
  keepBytes?: number
}

/** What the cache holds, newest last. */
export async function cacheUse(host: BuildHost): Promise<CacheUse[]> {
  const records = new BuildRecords(host.db)
  const { list, inUse } = records.transaction(() => ({ list: records.list(), inUse: new Set(host.leased().snapshots) }))
  return await Promise.all(
    list.map(async (record) => ({
      id: record.id,
      type: "regular" as const,
      description: record.description,
      sizeBytes: await sizeOf(host, record),
      createdAt: record.createdAt,
      lastUsedAt: record.lastUsedAt,
      uses: record.uses,
      inUse: inUse.has(record.id),
    })),
  )
}

/** Removes records, and what nothing else needs of their layers. What a running build uses stays. Safe to repeat. */
export async function pruneCache(
  host: BuildHost,
  { all = false, olderThanMs = 0, keepBytes }: PruneOptions,
): Promise<{ ids: string[]; reclaimedBytes: number }> {
  await sweepBuilds(host.root, host.snapshots)
  const records = new BuildRecords(host.db)
  const list = records.list().toSorted((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime())
  const sizes = new Map<string, number>()
  for (const record of list) sizes.set(record.id, await sizeOf(host, record))
  let left = sizes.values().reduce((sum, size) => sum + size, 0)
  const before = Date.now() - olderThanMs

  const removed = records.transaction(() => {
    const inUse = new Set(host.leased().snapshots)
    const ofImages = all ? new Set<string>() : snapshotsOfImages(host)
    const gone: BuildRecord[] = []
    const isWanted = (record: BuildRecord): boolean =>
      !inUse.has(record.id) && !ofImages.has(record.snapshot) && record.lastUsedAt.getTime() <= before
    // a record that others stand on goes after them
    for (let changed = true; changed;) {
      changed = false
      for (const record of list) {
        if (gone.includes(record) || !isWanted(record)) continue
        if (keepBytes !== undefined && left <= keepBytes) break
        if (!records.delete(record.id)) continue
        gone.push(record)
        left -= sizes.get(record.id) ?? 0
        changed = true
      }
    }
    return gone
  })
  await host.collect()
  const freed = removed.filter(({ snapshot }) => !host.snapshots.has(snapshot))
  return {
    ids: removed.map(({ id }) => id),
    reclaimedBytes: freed.reduce((sum, { id }) => sum + (sizes.get(id) ?? 0), 0),
  }
}

function snapshotsOfImages({ db }: BuildHost): Set<string> {
  return new Set(db.all<{ id: string }>("SELECT DISTINCT chain_id AS id FROM image_layers").map(({ id }) => id))
}

async function sizeOf({ snapshots }: BuildHost, { snapshot }: BuildRecord): Promise<number> {
  return snapshots.has(snapshot) ? (await snapshots.usage(snapshot)).bytes : 0
}
