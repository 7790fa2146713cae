import { TimeSlice } from "../base/time-slice.ts"
import type { FileStat } from "../sys/fs/directory.ts"
import { openTrees, type ReadLayerOptions } from "./read-layer.ts"
import type { FileChange } from "./snapshot.ts"

/** The files of two trees that differ; what has to be mounted for it is so only meanwhile. */
export async function* readChanges(options: ReadLayerOptions): AsyncGenerator<FileChange> {
  const { treeChanges } = await import("../archive/archive.ts")
  using trees = openTrees(options)
  const slice = new TimeSlice(options.signal)
  /** Directories whose time alone is another, until something in them differs. */
  let pending: FileChange[] = []
  for (const change of treeChanges(trees.paths)) {
    if (slice.isOver) await slice.giveWay()
    if (change.kind === "same") continue
    const found: FileChange =
      change.kind === "deleted"
        ? fileChange("deleted", change.path, change.hides.stat)
        : fileChange(change.before === undefined ? "added" : "changed", change.path, change.stat)
    pending = pending.filter(({ path }) => found.path.startsWith(`${path}/`))
    if (change.kind === "present" && isTouchedOnly(change.stat, change.before)) pending.push(found)
    else {
      yield* pending.splice(0)
      yield found
    }
  }
}

function fileChange(kind: FileChange["kind"], path: string, { type, sizeBytes }: FileStat): FileChange {
  return { kind, path: `/${path}`, type, sizeBytes: type === "file" ? sizeBytes : 0 }
}

/** A directory changes its time when something in it does: that alone says nothing. */
function isTouchedOnly(stat: FileStat, before: FileStat | undefined): boolean {
  return (
    stat.type === "directory" &&
    before?.type === "directory" &&
    stat.mode === before.mode &&
    stat.uid === before.uid &&
    stat.gid === before.gid
  )
}
