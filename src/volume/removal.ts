import { renameSync } from "node:fs"
import { heeding } from "../base/cancel.ts"
import { hasErrno } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { randomHex } from "../base/random-hex.ts"

/** Begins the names of what is being removed: of no volume. */
const REMOVED = ".removed-"

/** Removes a volume's directory, whose record is gone: what is left when this is cancelled or killed the next one takes. */
export async function removeDirectory(directory: string, name: string, signal: AbortSignal | undefined): Promise<void> {
  const aside = `${REMOVED}${randomHex(32)}`
  setAside(`${directory}/${name}`, `${directory}/${aside}`)
  await heeding(signal, `the removal of volume "${name}"`, () => removeAside(directory, aside, signal))
}

/** Renamed first: a volume of the same name made meanwhile is not touched. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
}

/** Then what others set aside, who were killed or cancelled before it was removed. */
async function removeAside(directory: string, own: string, signal: AbortSignal | undefined): Promise<void> {
  const { removeTree } = await import("../sys/fs/remove-tree.ts")
  await removeTree(`${directory}/${own}`, signal)
  for (const name of namesIn(directory).filter((each) => each.startsWith(REMOVED)))
    try {
      await removeTree(`${directory}/${name}`, signal)
    } catch (error) {
      if (signal?.aborted) throw error
      log.debug("what is left of a removed volume stays", { name, reason: String(error) })
    }
}
