/**
 * The log of a container under the path that kubelet gave it. A pod that was lent the directory of logs may put a link there at any moment, and
 * the monitor is root and opens what it is told (and empties it, when it begins a new file). So the monitor writes into the engine's own
 * directory, and the same file has a second name where kubelet looks for it, which is made by a descriptor of the directory and follows nothing.
 */
import { randomBytes } from "node:crypto"
import { closeSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { hasErrno, ignoreErrno, PermissionDenied } from "../base/errors.ts"
import { openInRoot, openOrMakeDirectory, openRoot } from "../sys/fs/confined.ts"

const O_PATH = 0x200000
const O_DIRECTORY = 0x10000
const O_NOFOLLOW = 0x20000

/** Where kubelet looks: a sandbox's directory, and a path below it. */
export interface LogPlace {
  directory: string
  path: string
}

/** Whether a file of the engine's can have a second name there: both are on one file system. */
export function canLink(root: string, place: LogPlace): boolean {
  const name = `.skiff-${randomBytes(8).toString("hex")}`
  const own = join(root, name)
  using directory = openPlace(place)
  try {
    writeFileSync(own, "", { flag: "wx", mode: 0o600 })
    linkSync(own, directory.at(name))
    rmSync(directory.at(name))
    return true
  } catch (error) {
    if (hasErrno(error, "EXDEV", "EPERM", "EMLINK", "EOPNOTSUPP")) return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

/** Before the container's first start: its log is there, under both names. What was at that path is no longer. */
export function makeLog(own: string, place: LogPlace): void {
  mkdirSync(dirname(own), { recursive: true, mode: 0o700 })
  ignoreErrno("EEXIST", () => writeFileSync(own, "", { flag: "wx", mode: 0o640 }))
  linkLog(own, place)
}

/** The same after the monitor has begun a new file. Safe to repeat. */
export function linkLog(own: string, place: LogPlace): void {
  using directory = openPlace(place)
  const there = directory.at(basename(place.path))
  if (lstatSync(there, { throwIfNoEntry: false })?.ino === lstatSync(own).ino) return
  const fresh = directory.at(`.skiff-${randomBytes(8).toString("hex")}`)
  linkSync(own, fresh)
  // neither follows a link that stands at the last name
  renameSync(fresh, there)
}

/** Throws PermissionDenied where the log is none of the sandbox's files (any more). For logs that the monitor opens by their path. */
export function checkLog(place: LogPlace): void {
  using directory = openPlace(place)
  if (lstatSync(directory.at(basename(place.path)), { throwIfNoEntry: false })?.isFile() === true) return
  throw refused(place, "it is no file")
}

/** Throws PermissionDenied where something stands in the way that is no file, which the monitor would follow. Before it opens a log by its path. */
export function checkLogFree(place: LogPlace): void {
  using directory = openPlace(place)
  if (lstatSync(directory.at(basename(place.path)), { throwIfNoEntry: false })?.isFile() === false)
    throw refused(place, "there is something, and it is no file")
}

/** The directory of the log, made where it is not there. Links in it stay below the sandbox's directory, which is itself no link. */
function openPlace(place: LogPlace): Disposable & { at(name: string): string } {
  mkdirSync(place.directory, { recursive: true, mode: 0o755 })
  const above = openRoot(dirname(place.directory))
  try {
    const root = openInRoot(above, basename(place.directory), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, "beneath")
    try {
      const parent = dirname(place.path).replace(/^\.$/, "")
      const fd = openOrMakeDirectory(root, parent)
      return {
        at: (name) => `/proc/self/fd/${fd}/${name}`,
        [Symbol.dispose]: () => closeSync(fd),
      }
    } finally {
      closeSync(root)
    }
  } catch (error) {
    if (hasErrno(error, "ELOOP", "ENOTDIR", "EXDEV")) throw refused(place, "a link leads it away")
    throw error
  } finally {
    closeSync(above)
  }
}

function refused({ directory, path }: LogPlace, why: string): PermissionDenied {
  return new PermissionDenied(`the log "${join(directory, path).slice(0, 300)}" cannot be kept there: ${why}`, {
    field: "log_path",
  })
}
