import { existsSync, renameSync } from "node:fs"
import { heeding, type Cancellable } from "../base/cancel.ts"
import { hasErrno } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"
import { mountPointsBelow, unmount } from "../sys/fs/mount.ts"

/** Begins the names of what is being removed: of no volume. */
const REMOVED = ".removed-"

/** What is known while a directory is being removed. */
export interface RemovalOptions extends Cancellable {
  /** Whether a volume has the directory of that name. */
  isKnown(name: string): boolean
}

/**
 * Removes a volume's directory, whose record is gone, and what is left of others: of those that were killed or cancelled before all of
 * theirs was removed.
 */
export async function removeDirectory(
  directory: string,
  name: string,
  { signal, isKnown }: RemovalOptions,
): Promise<void> {
  const own = setAside(directory, name)
  const left = namesIn(directory).filter((each) => !each.startsWith(".") && !isKnown(each))
  for (const each of left) setAside(directory, each)
  await heeding(signal, `the removal of volume "${name}"`, () => removeAside(directory, own, signal))
}

/** Takes away what a killed removal left at the place of a new volume. */
export async function clearPlace(directory: string, name: string): Promise<void> {
  if (!existsSync(`${directory}/${name}`)) return
  await removeAside(directory, setAside(directory, name), undefined)
}

/** Renamed first: a volume of the same name made meanwhile is not touched. */
function setAside(directory: string, name: string): string {
  const aside = `${REMOVED}${randomHex(32)}`
  try {
    renameSync(`${directory}/${name}`, `${directory}/${aside}`)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  return aside
}

async function removeAside(directory: string, own: string, signal: AbortSignal | undefined): Promise<void> {
  await removeUnmounted(`${directory}/${own}`, signal)
  for (const name of namesIn(directory).filter((each) => each.startsWith(REMOVED)))
    try {
      await removeUnmounted(`${directory}/${name}`, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      log.debug("what is left of a removed volume stays", { name, reason: String(error) })
    }
}

/** What is mounted there is somebody else's: a directory of the host, other machines' files. */
async function removeUnmounted(path: string, signal: AbortSignal | undefined): Promise<void> {
  for (const point of mountPointsBelow(path)) unmount(point)
  const { removeTree } = await import("../sys/fs/remove-tree.ts")
  await removeTree(path, signal)
}
