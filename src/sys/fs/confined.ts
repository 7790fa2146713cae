/**
 * Files of a container or an image, opened so that no link in them leads outside (docs/design/005-hostile-trees.md).
 * Whatever walks such a tree starts from `openRoot` and goes on by file descriptors only.
 */
import { closeSync, fstatSync, readSync } from "node:fs"
import { ptr } from "bun:ffi"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"
import {
  AT_FDCWD,
  check,
  cString,
  lastErrno,
  libc,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
} from "../libc.ts"
import { checkNamed, rawCString, shownName } from "./raw-name.ts"

const SYS_OPENAT2 = 437 // the same number on every architecture (it came after they were unified)
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_NO_SYMLINKS = 0x04
const RESOLVE_BENEATH = 0x08
const RESOLVE_IN_ROOT = 0x10
const EEXIST = 17

/** How links are resolved: `in-root` treats the root as `/` (a chroot's view), `beneath` refuses to leave it. */
export type Resolve = "in-root" | "beneath"

/** Opens the directory at the trusted host path `path` as the root of a hostile tree. The caller closes it. */
export function openRoot(path: string): number {
  return check(libc.openat(AT_FDCWD, cString(path), O_PATH | O_DIRECTORY | O_CLOEXEC, 0), "open", path)
}

/** openat2(2): opens `path` inside `rootFd`. Throws SystemError (ENOENT, ELOOP, EXDEV, EAGAIN …). The caller closes it. */
export function openInRoot(
  rootFd: number,
  path: string,
  flags: number,
  mode = 0,
  resolve: Resolve = "in-root",
): number {
  return check(openat2(rootFd, cString(path), flags, mode, resolve), "openat2", JSON.stringify(path))
}

/** `openInRoot` for a raw name (sys/raw-name.ts). */
export function openRawInRoot(rootFd: number, path: string, flags: number, mode = 0): number {
  const fd = openat2(rootFd, rawCString(path === "" ? "." : path), flags, mode, "in-root")
  return fd >= 0 ? fd : check(fd, "openat2", shownName(path))
}

/**
 * Opens a path of the host of which no part may be a link: whose real path was found before, and in which others write. With O_PATH the last
 * part may be one, which is opened itself. Throws SystemError (ELOOP, ENOENT, ENOTDIR). The caller closes it.
 */
export function openWithoutLinks(path: string, flags: number): number {
  return check(openat2(AT_FDCWD, cString(path), flags | O_NOFOLLOW, 0, "no-links"), "openat2", JSON.stringify(path))
}

const how = new BigUint64Array(3) // struct open_how: flags, mode, resolve

const RESOLVES: Record<Resolve | "no-links", number> = {
  beneath: RESOLVE_BENEATH,
  "in-root": RESOLVE_IN_ROOT,
  "no-links": RESOLVE_NO_SYMLINKS,
}

const EAGAIN = 11
/** Whoever renames all the time must not hold us for ever. */
const MAX_TRIES = 128

function openat2(
  rootFd: number,
  path: Uint8Array,
  flags: number,
  mode: number,
  resolve: keyof typeof RESOLVES,
): number {
  how[0] = BigInt(flags | O_CLOEXEC)
  how[1] = BigInt(mode)
  how[2] = BigInt(RESOLVE_NO_MAGICLINKS | RESOLVES[resolve])
  for (let tries = 1; ; tries++) {
    const fd = Number(libc.syscall(SYS_OPENAT2, rootFd, ptr(path), ptr(how), how.byteLength, 0))
    // openat2(2): somebody on this host renamed or mounted while a `..` or a link was followed; it is to be tried again
    if (fd >= 0 || lastErrno() !== EAGAIN || tries >= MAX_TRIES) return fd
  }
}

/** What stands at the raw path below `rootFd`, by O_PATH, no link followed; undefined when there is nothing. */
export function tryOpenBeneath(rootFd: number, path: string): number | undefined {
  const fd = openat2(rootFd, rawCString(path), O_PATH | O_NOFOLLOW, 0, "beneath")
  return fd >= 0 ? fd : undefined
}

/**
 * Opens the directory `path` (raw) inside `rootFd` by O_PATH, made with its parents when absent, mode 0755. Links on the way
 * are followed inside the root. Throws SystemError: ENOTDIR where something else is in the way. The caller closes it.
 */
export function openOrMakeDirectory(rootFd: number, path: string): number {
  try {
    return openRawInRoot(rootFd, path, O_PATH | O_DIRECTORY)
  } catch (error) {
    if (!hasErrno(error, "ENOENT") || path === "") throw error
  }
  const cut = path.lastIndexOf("/")
  const parentFd = openOrMakeDirectory(rootFd, path.slice(0, Math.max(cut, 0)))
  try {
    const made = libc.mkdirat(parentFd, rawCString(path.slice(cut + 1)), 0o755)
    if (made < 0 && lastErrno() !== EEXIST) checkNamed(made, "mkdir", path)
  } finally {
    closeSync(parentFd)
  }
  return openRawInRoot(rootFd, path, O_PATH | O_DIRECTORY)
}

/**
 * Reads a regular file inside the tree at host path `root`; undefined when there is none.
 * Never waits on a FIFO, never reads past `maxBytes` (throws InvalidArgument).
 */
export function readFileInRoot(root: string, path: string, maxBytes: number): Uint8Array | undefined {
  const rootFd = openRoot(root)
  let fd: number
  try {
    fd = openInRoot(rootFd, path, O_NONBLOCK)
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT" || (error as { code?: string }).code === "ENOTDIR")
      return undefined
    throw error
  } finally {
    closeSync(rootFd)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new InvalidArgument(`"${path}" of the image is not a regular file`)
    if (stat.size > maxBytes)
      throw new InvalidArgument(`"${path}" of the image has ${stat.size} bytes, more than ${maxBytes} are not read`)
    const bytes = Buffer.alloc(stat.size)
    let done = 0
    for (let count = 1; done < bytes.length && count > 0; done += count)
      count = readSync(fd, bytes, done, bytes.length - done, null)
    return bytes.subarray(0, done)
  } finally {
    closeSync(fd)
  }
}
