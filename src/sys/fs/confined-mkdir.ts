import { closeSync } from "node:fs"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { openInRoot, openRoot } from "./confined.ts"
import { check, cString, libc, O_DIRECTORY, O_PATH } from "../libc.ts"

/**
 * Makes the directory `path` and its missing parents inside the tree at host path `root`, owned by us, mode 0755. Links are
 * followed inside the tree only (CVE-2026-55686). Safe to repeat. Throws FailedPrecondition when something else
 * than a directory stands in the way.
 */
export function makeDirectoryInRoot(root: string, path: string): void {
  const rootFd = openRoot(root)
  let parentFd = rootFd
  try {
    let prefix = ""
    for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
      prefix += `/${name}`
      const fd = openDirectory(rootFd, prefix) ?? makeDirectory(rootFd, parentFd, name, prefix)
      if (parentFd !== rootFd) closeSync(parentFd)
      parentFd = fd
    }
  } finally {
    if (parentFd !== rootFd) closeSync(parentFd)
    closeSync(rootFd)
  }
}

/** Whether `path` is a directory there, links of the tree followed inside it. */
export function hasDirectoryInRoot(root: string, path: string): boolean {
  const rootFd = openRoot(root)
  try {
    closeSync(openInRoot(rootFd, path, O_PATH | O_DIRECTORY))
    return true
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return false
    throw error
  } finally {
    closeSync(rootFd)
  }
}

function openDirectory(rootFd: number, path: string): number | undefined {
  try {
    return openInRoot(rootFd, path, O_PATH | O_DIRECTORY)
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined
    throw new FailedPrecondition(`cannot make the directory "${path}" in the container`, { cause: error })
  }
}

function makeDirectory(rootFd: number, parentFd: number, name: string, path: string): number {
  try {
    check(libc.mkdirat(parentFd, cString(name), 0o755), "mkdir", path)
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
  const fd = openDirectory(rootFd, path)
  if (fd === undefined) throw new FailedPrecondition(`"${path}" in the container is a link that leads nowhere`)
  return fd
}
