import { readdirSync, statSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { copiesUp, isOwnDirectory } from "./volume-options.ts"
import type { Volume, VolumeDetails } from "./volume.ts"

/** What the directory of a volume tells. Of one that is not mounted, or not to be read, nothing. */
export function stateOf(volume: Volume): Pick<VolumeDetails, "owner" | "isFresh"> {
  const { mountpoint } = volume
  const stat = mountpoint === "" ? undefined : statSync(mountpoint, { throwIfNoEntry: false })
  const owner = { uid: stat?.uid ?? 0, gid: stat?.gid ?? 0 }
  return { owner, isFresh: isOwnDirectory(volume) && copiesUp(volume) && isEmpty(mountpoint) }
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
    return true
  }
}
