import { lstatSync, mkdirSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { StorePaths } from "../sys/fs/paths.ts"
import { ensurePrivateDirectory } from "../sys/fs/private-directory.ts"

const WORLD_WRITABLE = 0o002

/**
 * Makes both directories of a store, or proves them ours alone: mode 0700, no other owner (CVE-2014-0047, CVE-2021-41091).
 * A link is followed only where nobody else can have put it. Gives their real paths. Throws PermissionDenied.
 */
export function openStoreDirectories({ root, runRoot }: StorePaths): StorePaths {
  return { root: openDirectory(root), runRoot: openDirectory(runRoot) }
}

function openDirectory(path: string): string {
  const parent = dirname(path)
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const real = isOwnLink(path, parent) ? realpathSync(path) : path
  ensurePrivateDirectory(real)
  return real
}

/** An administrator moves a store to another disk by a link; in a directory that all may write to, anybody may have made it. */
function isOwnLink(path: string, parent: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isSymbolicLink() || stat.uid !== process.getuid?.()) return false
  return (statSync(parent).mode & WORLD_WRITABLE) === 0
}
