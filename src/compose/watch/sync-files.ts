import { dirname } from "node:path"
import type { Containers } from "../../container/container.ts"
import type { SyncedPath } from "./plan-batch.ts"
import { findEntries, syncArchive, type SyncEntry } from "./sync-archive.ts"

/** Who gets the files. */
export interface SyncTarget {
  containers: Containers
  /** Ids: all containers of the service. */
  ids: readonly string[]
  signal: AbortSignal
}

/** Brings changed files into each container, and takes away what is gone. What a container's own user is, is who they belong to. */
export async function syncFiles(synced: readonly SyncedPath[], target: SyncTarget): Promise<void> {
  const { entries, gone } = findEntries(synced)
  await Promise.all(
    target.ids.map(async (id) => {
      if (gone.length > 0) await target.containers.removeFiles(id, gone, { abort: target.signal })
      await send(entries, id, target)
    }),
  )
}

/**
 * Brings what differs into each container: of another size or time, or not there. docker compose sends nothing at its start, or
 * with `initial_sync` what is newer than the image. Gives the number of files that differed in the first one.
 */
export async function compareAndSync(all: readonly SyncedPath[], target: SyncTarget): Promise<number> {
  const { entries } = findEntries(all)
  const counts = await Promise.all(
    target.ids.map(async (id) => {
      const stats = await target.containers.fileStats(
        id,
        entries.map(({ to }) => to),
        { abort: target.signal },
      )
      const differing = entries.filter((entry, index) => !isSame(entry, stats[index]))
      await send(differing, id, target)
      return differing.filter(({ stat }) => !stat.isDirectory()).length
    }),
  )
  return counts[0] ?? 0
}

type Stat = Awaited<ReturnType<Containers["fileStats"]>>[number]

function isSame({ stat }: SyncEntry, there: Stat): boolean {
  if (there === undefined) return false
  if (stat.isDirectory()) return there.type === "directory"
  if (stat.isSymbolicLink()) return there.type === "symlink" && BigInt(there.sizeBytes) === stat.size
  return (
    there.type === "file" &&
    BigInt(there.sizeBytes) === stat.size &&
    there.mtime.seconds === stat.mtimeNs / 1_000_000_000n
  )
}

async function send(entries: readonly SyncEntry[], id: string, { containers, signal }: SyncTarget): Promise<void> {
  if (entries.length === 0) return
  await containers.writeArchive(id, "/", syncArchive(withParents(entries)), {
    archive: true,
    overwrite: true,
    abort: signal,
  })
}

/** A link that has taken a directory's place, or the other way round, comes before what is below. */
function withParents(entries: readonly SyncEntry[]): SyncEntry[] {
  return entries.toSorted((a, b) => {
    const [left, right] = [dirname(a.to), dirname(b.to)]
    return left === right ? (a.to < b.to ? -1 : 1) : left < right ? -1 : 1
  })
}
