import { lstatSync, mkdirSync, realpathSync, statSync, type Stats } from "node:fs"
import { dirname, resolve } from "node:path"
import { PermissionDenied } from "../base/errors.ts"
import { rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import { ensurePrivateDirectory } from "../sys/fs/private-directory.ts"

const WORLD_WRITABLE = 0o002
const GROUP_WRITABLE = 0o020
const STICKY = 0o1000

/**
 * Makes both directories of a store, or proves them ours alone: mode 0700, no other owner (CVE-2014-0047, CVE-2021-41091),
 * and no directory above them in which somebody else could put another in their place. A link is followed only where nobody
 * else can have put it. Gives their real paths, absolute: the working directory of a later command is another. Throws PermissionDenied.
 */
export function openStoreDirectories({ root, runRoot }: StorePaths): StorePaths {
  return { root: openDirectory(resolve(root)), runRoot: openDirectory(resolve(runRoot)) }
}

function openDirectory(path: string): string {
  const parent = dirname(path)
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const real = isOwnLink(path, parent) ? realpathSync(path) : path
  checkAbove(real)
  ensurePrivateDirectory(real)
  return real
}

/** An administrator moves a store to another disk by a link; in a directory that all may write to, anybody may have made it. */
function isOwnLink(path: string, parent: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isSymbolicLink() || stat.uid !== process.getuid?.()) return false
  return (statSync(parent).mode & WORLD_WRITABLE) === 0
}

/** On the way that is written, and on the one that its links lead. */
function checkAbove(path: string): void {
  const parent = dirname(path)
  const real = realpathSync(parent)
  for (const start of real === parent ? [parent] : [parent, real])
    for (let directory = start; ; directory = dirname(directory)) {
      const stranger = whoElseWrites(statSync(directory)) ?? (real === parent ? undefined : ownerOfLink(directory))
      if (stranger !== undefined)
        throw new PermissionDenied(
          `"${path}" cannot hold a store: ${stranger} may write to "${directory}" above it, and replace it`,
          { hint: `use another directory, or remove that permission: chmod go-w ${directory}` },
        )
      if (directory === "/") break
    }
}

/** Who but root and us may rename what is ours in a directory; in a sticky one, its owner alone. */
function whoElseWrites({ mode, uid, gid }: Stats): string | undefined {
  if (isStranger(uid, process.getuid?.())) return `uid ${uid}`
  if ((mode & STICKY) !== 0) return undefined
  if ((mode & WORLD_WRITABLE) !== 0) return "everybody"
  return (mode & GROUP_WRITABLE) !== 0 && isStranger(gid, process.getgid?.()) ? `group ${gid}` : undefined
}

function ownerOfLink(path: string): string | undefined {
  const { uid } = lstatSync(path)
  return isStranger(uid, process.getuid?.()) ? `uid ${uid}` : undefined
}

/** In a user namespace root and all others who have no id there look the same: they are not told apart. */
function isStranger(id: number, own: number | undefined): boolean {
  return id !== 0 && id !== own && !(id === OVERFLOW_ID && rootlessUid() !== undefined)
}

const OVERFLOW_ID = 65534
