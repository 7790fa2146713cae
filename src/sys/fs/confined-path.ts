import { hasErrno } from "../../base/errors.ts"
import { openRawInRoot } from "./confined.ts"
import { statAt, type FileStat } from "./directory.ts"
import { check, close, libc, O_DIRECTORY, O_PATH, SystemError } from "../libc.ts"
import { rawCString, shownName } from "./raw-name.ts"

const MAX_LINKS = 40 // the kernel's own
const ELOOP = 40
const ENOTDIR = 20

/** Where a path of a tree leads when the tree's root is `/`. */
export interface RootPath<Stat = FileStat> {
  /** Raw, relative to the root, with no link in it as far as it is there; "" is the root itself. */
  path: string
  /** How many of its last names are not there. */
  missing: number
  /** What is there; undefined when something is missing. */
  stat: Stat | undefined
}

/** A tree to find paths in: raw, relative to its root, without links but for the last name, which is not followed. */
export interface PathTree<Stat extends { type: FileStat["type"] }> {
  /** Undefined when there is none. */
  stat(path: string): Stat | undefined
  readLink(path: string): string
}

/**
 * Follows all links of `path` (raw) inside the tree, through names that are not there as well. The answer is for
 * `openRawInRoot` and the like, which look again: a link put there meanwhile leads nowhere outside.
 * Throws SystemError: ELOOP, and ENOTDIR where a file stands in the way.
 */
export function resolveInRoot(rootFd: number, path: string): RootPath {
  return resolveInTree(
    { stat: (name) => statInRoot(rootFd, name), readLink: (name) => readLinkInRoot(rootFd, name) },
    path,
  )
}

/** `resolveInRoot` in any tree. */
export function resolveInTree<Stat extends { type: FileStat["type"] }>(
  tree: PathTree<Stat>,
  path: string,
): RootPath<Stat> {
  const found: string[] = []
  const ahead = path.split("/").toReversed()
  let stat = tree.stat("")
  let missing = 0
  for (let links = 0; ahead.length > 0;) {
    const name = ahead.pop()
    if (name === undefined || name === "" || name === ".") continue
    if (name === "..") {
      found.pop()
      missing = Math.max(0, missing - 1)
      if (missing === 0) stat = tree.stat(found.join("/"))
      continue
    }
    found.push(name)
    if (missing > 0) {
      missing++
      continue
    }
    if (stat?.type !== "directory") throw new SystemError("open", ENOTDIR, shownName(path))
    stat = tree.stat(found.join("/"))
    if (stat === undefined) missing = 1
    if (stat?.type !== "symlink") continue
    if (++links > MAX_LINKS) throw new SystemError("open", ELOOP, shownName(path))
    const target = tree.readLink(found.join("/"))
    found.pop()
    if (target.startsWith("/")) found.length = 0
    stat = tree.stat(found.join("/"))
    ahead.push(...target.split("/").toReversed())
  }
  return { path: found.join("/"), missing, stat: missing > 0 ? undefined : stat }
}

/** statx(2) of a path (raw) inside the root, its last name not followed; undefined when there is none. */
export function statInRoot(rootFd: number, path: string): FileStat | undefined {
  return atName(rootFd, path, (directoryFd, name) => statAt(directoryFd, name))
}

const linkText = Buffer.alloc(4096)

/** The text of the link at `path` (raw) inside the root. Throws SystemError EINVAL when it is none. */
export function readLinkInRoot(rootFd: number, path: string): string {
  const text = atName(rootFd, path, (directoryFd, name) => readLinkAt(directoryFd, name))
  return text ?? ""
}

/** readlinkat(2), raw. */
export function readLinkAt(directoryFd: number, name: string): string {
  const length = check(libc.readlinkat(directoryFd, rawCString(name), linkText, linkText.length), "readlink", name)
  return linkText.toString("latin1", 0, length)
}

function atName<T>(rootFd: number, path: string, act: (directoryFd: number, name: string) => T): T | undefined {
  const cut = path.lastIndexOf("/")
  if (cut < 0) return act(rootFd, path === "" ? "." : path)
  let directory: number
  try {
    directory = openRawInRoot(rootFd, path.slice(0, cut), O_PATH | O_DIRECTORY)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined
    throw error
  }
  try {
    return act(directory, path.slice(cut + 1))
  } finally {
    close(directory)
  }
}
