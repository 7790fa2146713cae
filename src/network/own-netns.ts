import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { hasErrno } from "../base/errors.ts"
import { MountFlag, mountAt, unmountAll } from "../sys/fs/mount.ts"
import { lockFile, unlockAndClose } from "../sys/libc.ts"
import { createNetns } from "../sys/net/netns.ts"

/** statfs(2): what a bound namespace is. */
const NSFS_MAGIC = 0x6e736673

/** Where the network namespace of a store of root's is bound, when its containers reach the host by pasta. */
function ownNetnsFile(runRoot: string): string {
  return `${runRoot}/network/host.netns`
}

/** Makes the namespace, unless it is there; of processes that come at once, one does. Gives its path. */
export async function ensureOwnNetns(runRoot: string): Promise<string> {
  const path = ownNetnsFile(runRoot)
  if (isNetns(path)) return path
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = openSync(`${path}.lock`, "a", 0o600)
  try {
    lockFile(lock)
    if (isNetns(path)) return path
    const netns = await createNetns([], false)
    try {
      writeFileSync(path, "", { mode: 0o600 })
      mountAt(path, { type: "none", source: `/proc/self/fd/${netns}`, data: [], flags: MountFlag.bind })
    } finally {
      closeSync(netns)
    }
    return path
  } finally {
    unlockAndClose(lock)
  }
}

/** Its bridges and rules go with it. Safe to repeat. */
export function removeOwnNetns(runRoot: string): void {
  const path = ownNetnsFile(runRoot)
  unmountAll(path)
  rmSync(path, { force: true })
}

function isNetns(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false
    throw error
  }
}
