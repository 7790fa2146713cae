import { unlinkSync } from "node:fs"
import type { Database } from "../base/database.ts"
import type { Digest } from "../spec/digest.ts"
import type { ContentStore } from "./content.ts"
import { liveLeases } from "./leases.ts"

/** So long an interrupted pull can go on. */
const STALE_INGEST_MS = 24 * 60 * 60 * 1000

/** What collecting needs of a snapshotter. */
export interface CollectableSnapshots {
  list(): { name: string; parent?: string; kind: string; ownerAlive?: boolean }[]
  /** Removes the record at once; its directory goes with the next `sweep`. */
  forget(name: string): void
  sweep(signal?: AbortSignal): Promise<number>
}

/** What is collected from, and what must stay. */
export interface CollectOptions {
  db: Database
  root: string
  content: ContentStore
  snapshots: CollectableSnapshots
  /** What the records refer to. Called inside the write transaction: it must read them then, not earlier. */
  referenced: () => { blobs: Iterable<Digest>; snapshots: Iterable<string> }
  /** Stops the removal of files: what is left goes with the next call. */
  signal?: AbortSignal | undefined
}

/** What was removed. */
export interface Collected {
  blobs: number
  snapshots: number
  /** Of the blobs. */
  bytes: number
}

/**
 * Mark and sweep: removes blobs and committed snapshots that neither a record nor a lease holds, stages whose process is
 * gone, and ingests a day old. Active snapshots are their owners'; what they stand on stays.
 *
 * Safe beside other processes without a grace time: marking and removing happen under the write lock of the records. Who
 * makes something adds it to its lease before looking whether it is there; adding waits for this lock, so it either comes
 * first and is seen here, or afterwards the look says truly that it is gone. Safe to repeat; killed half way, the next
 * call finishes.
 */
export async function collectGarbage(options: CollectOptions): Promise<Collected> {
  const collected = options.db.transaction(() => {
    const leased = liveLeases(options.db)
    const referenced = options.referenced()
    return {
      ...collectBlobs(options.content, new Set([...leased.blobs, ...referenced.blobs])),
      snapshots: collectSnapshots(options.snapshots, new Set([...leased.snapshots, ...referenced.snapshots])),
    }
  })
  await options.snapshots.sweep(options.signal)
  await options.content.removeStaleIngests({ olderThanMs: STALE_INGEST_MS })
  return collected
}

function collectBlobs(content: ContentStore, kept: ReadonlySet<Digest>): { blobs: number; bytes: number } {
  let blobs = 0
  let bytes = 0
  for (const { digest, size } of content.list()) {
    if (kept.has(digest)) continue
    unlinkSync(content.path(digest))
    blobs++
    bytes += size
  }
  return { blobs, bytes }
}

function collectSnapshots(snapshots: CollectableSnapshots, roots: ReadonlySet<string>): number {
  const all = new Map(snapshots.list().map((info) => [info.name, info]))
  const kept = new Set<string>()
  for (const info of all.values()) {
    const isRoot =
      roots.has(info.name) ||
      info.kind === "active" ||
      info.kind === "view" ||
      (info.kind === "stage" && info.ownerAlive)
    if (!isRoot) continue
    for (let name: string | undefined = info.name; name !== undefined && !kept.has(name); name = all.get(name)?.parent)
      kept.add(name)
  }
  const garbage = [...all.values()].filter((info) => !kept.has(info.name))
  const depth = (info: { parent?: string } | undefined): number =>
    info?.parent === undefined ? 0 : 1 + depth(all.get(info.parent))
  // children first: a snapshot that another stands on cannot go
  for (const { name } of garbage.toSorted((a, b) => depth(b) - depth(a))) snapshots.forget(name)
  return garbage.length
}
