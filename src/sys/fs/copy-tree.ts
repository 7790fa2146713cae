import { readSync, writeSync } from "node:fs"
import { atOnce, inSlices } from "../../base/time-slice.ts"
import { hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import { setMode, setModeAt, setOwner, setOwnerAt, setTimes, setTimesAt } from "./attributes.ts"
import { openInRoot, openOrMakeDirectory, openRawInRoot, openRoot } from "./confined.ts"
import { readDirectory, statAt, statOf, type FileStat } from "./directory.ts"
import { check, close, lastErrno, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } from "../libc.ts"
import { checkNamed, rawCString, rawName, shownName } from "./raw-name.ts"
import { OWNER_ATTRIBUTE } from "./recorded-owner.ts"
import { removalAt } from "./remove-tree.ts"
import { getAttribute, listAttributes, pathAt, setAttribute } from "./xattr.ts"

const MAX_DEPTH = 512
const S_IFIFO = 0o010000
const O_WRONLY = 1
const O_CREAT = 0o100
const O_EXCL = 0o200
const OPEN_DIRECTORY = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

/** How a copy differs from its source. */
export interface CopyTreeOptions {
  /** The source is an overlay upper: its whiteouts remove from the target, its opaque directories empty theirs first. */
  overlayDiff?: boolean
  /** Whose all copies shall be; undefined: as in the source. */
  owner?: Owner
  /** Leaves the attributes of the target directory itself as they are. */
  keepTop?: boolean
  signal?: AbortSignal
}

interface Owner {
  uid: number
  gid: number
}

/**
 * Copies what is in the directory `sourcePath` of the tree `sourceRoot` into the directory `targetPath` of `targetRoot` (made
 * when absent): owners, modes, extended attributes, times, hard links and holes kept. Both trees are hostile: nothing is
 * followed out of them. Devices and sockets are left out. Throws NotFound when there is no such directory.
 */
export async function copyTree(
  sourceRoot: string,
  sourcePath: string,
  targetRoot: string,
  targetPath: string,
  options: CopyTreeOptions = {},
): Promise<void> {
  await inSlices(treeCopy(sourceRoot, sourcePath, targetRoot, targetPath, options), options.signal)
}

function* treeCopy(
  sourceRoot: string,
  sourcePath: string,
  targetRoot: string,
  targetPath: string,
  options: CopyTreeOptions,
): Generator<void, void> {
  using fds = new DisposableStack()
  const own = (fd: number): number => fds.adopt(fd, close)
  const targetRootFd = own(openRoot(targetRoot))
  const source = own(openSource(own(openRoot(sourceRoot)), sourcePath))
  const top = own(openOrMakeDirectory(targetRootFd, rawName(targetPath).replace(/^\/+|\/+$/g, "")))
  const target = own(openRawInRoot(top, ".", O_DIRECTORY))
  yield* new TreeCopy(target, options.overlayDiff ?? false, options.owner).copyDirectory(source, target, "", 0)
  if (!options.keepTop) copyDirectoryAttributes(source, target, options.owner)
}

function openSource(rootFd: number, path: string): number {
  try {
    return openInRoot(rootFd, path, O_DIRECTORY)
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTDIR")) throw error
    throw new NotFound(`no such directory: "${path}"`, { cause: error })
  }
}

class TreeCopy {
  readonly #top: number
  readonly #overlayDiff: boolean
  readonly #owner: Owner | undefined
  /** Where the first name of a file with more than one lies in the target. */
  readonly #linked = new Map<string, string>()

  constructor(top: number, overlayDiff: boolean, owner: Owner | undefined) {
    this.#top = top
    this.#overlayDiff = overlayDiff
    this.#owner = owner
  }

  *copyDirectory(source: number, target: number, path: string, depth: number): Generator<void, void> {
    if (depth > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    for (const { name } of readDirectory(source)) {
      yield
      const stat = statAt(source, name)
      if (stat !== undefined)
        yield* this.#copyEntry(source, target, name, stat, path === "" ? name : `${path}/${name}`, depth)
    }
  }

  *#copyEntry(
    source: number,
    target: number,
    name: string,
    stat: FileStat,
    path: string,
    depth: number,
  ): Generator<void, void> {
    if (stat.type === "directory") return yield* this.#copyChild(source, target, name, path, depth)
    if (stat.type === "socket" || stat.type === "block" || stat.type === "character") {
      if (this.#overlayDiff && isWhiteout(stat)) yield* removalAt(target, name, path)
      return
    }
    yield* removalAt(target, name, path)
    const first = stat.links > 1 ? this.#linked.get(stat.identity) : undefined
    if (first !== undefined) return this.#link(first, target, name)
    if (stat.links > 1) this.#linked.set(stat.identity, path)
    if (stat.type === "file") yield* copyFile(source, target, name, this.#owner)
    else copyNode(source, target, name, stat, this.#owner)
  }

  *#copyChild(source: number, target: number, name: string, path: string, depth: number): Generator<void, void> {
    using fds = new DisposableStack()
    const from = fds.adopt(openChild(source, name), close)
    const there = statAt(target, name)
    if (
      there !== undefined &&
      (there.type !== "directory" || (this.#overlayDiff && isOpaqueDirectory(pathAt(source, name))))
    )
      yield* removalAt(target, name, path)
    const made = libc.mkdirat(target, rawCString(name), 0o700)
    if (made < 0 && lastErrno() !== EEXIST) checkNamed(made, "mkdir", path)
    const to = fds.adopt(openChild(target, name), close)
    yield* this.copyDirectory(from, to, path, depth + 1)
    copyDirectoryAttributes(from, to, this.#owner)
  }

  #link(first: string, target: number, name: string): void {
    const cut = first.lastIndexOf("/")
    const directory = openRawInRoot(this.#top, first.slice(0, Math.max(cut, 0)), O_DIRECTORY)
    try {
      const result = libc.linkat(directory, rawCString(first.slice(cut + 1), 0), target, rawCString(name, 1), 0)
      checkNamed(result, "link", name)
    } finally {
      close(directory)
    }
  }
}

const EEXIST = 17

function openChild(directoryFd: number, name: string): number {
  return checkNamed(libc.openat(directoryFd, rawCString(name), OPEN_DIRECTORY, 0), "open", name)
}

function* copyFile(source: number, target: number, name: string, owner?: Owner): Generator<void, void> {
  using fds = new DisposableStack()
  // O_NONBLOCK: it may have become a FIFO since we looked
  const from = check(libc.openat(source, rawCString(name), O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0), "open", name)
  fds.adopt(from, close)
  const stat = statOf(from)
  const to = checkNamed(
    libc.openat(target, rawCString(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600),
    "create",
    name,
  )
  fds.adopt(to, close)
  if (stat.type === "file") yield* bytesCopy(from, to, stat.sizeBytes)
  setOwner(to, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
  setMode(to, stat.mode)
  copyAttributes(pathAt(source, name), pathAt(target, name))
  setTimes(to, stat.mtime)
}

const SEEK_DATA = 3
const SEEK_HOLE = 4
const fromOffset = new BigInt64Array(1)
const toOffset = new BigInt64Array(1)

/** Copies the parts that hold data, and no holes: a sparse file of 2^40 bytes must not fill the disk. */
export function copyBytes(from: number, to: number, sizeBytes: number): void {
  atOnce(bytesCopy(from, to, sizeBytes))
}

function* bytesCopy(from: number, to: number, sizeBytes: number): Generator<void, void> {
  check(libc.ftruncate(to, sizeBytes), "truncate")
  for (let at = 0; at < sizeBytes;) {
    const start = Number(libc.lseek(from, at, SEEK_DATA))
    if (start < 0) return // ENXIO: only a hole is left
    const end = Math.min(check(libc.lseek(from, start, SEEK_HOLE), "seek"), sizeBytes)
    yield* copyRange(from, to, start, end)
    at = end
  }
}

function* copyRange(from: number, to: number, start: number, end: number): Generator<void, void> {
  for (let at = start; at < end;) {
    yield
    const count =
      copyInKernel(from, to, at, Math.min(end - at, MAX_KERNEL_BYTES)) ?? copyThroughMemory(from, to, at, end - at)
    if (count === 0) return // it was cut short meanwhile
    at += count
  }
}

/** copy_file_range(2); undefined where these two file systems cannot: from an overlay to what it lies on is EXDEV. */
function copyInKernel(from: number, to: number, at: number, length: number): number | undefined {
  fromOffset[0] = toOffset[0] = BigInt(at)
  try {
    return check(libc.copy_file_range(from, fromOffset, to, toOffset, length, 0), "copy")
  } catch (error) {
    if (hasErrno(error, "EXDEV", "EINVAL", "EOPNOTSUPP", "ENOSYS")) return undefined
    throw error
  }
}

/** A few milliseconds' worth: the event loop waits for it. */
const MAX_KERNEL_BYTES = 8 * 1024 * 1024
const MAX_CHUNK_BYTES = 1024 * 1024

function copyThroughMemory(from: number, to: number, at: number, length: number): number {
  const chunk = Buffer.allocUnsafe(Math.min(length, MAX_CHUNK_BYTES))
  const count = readSync(from, chunk, 0, chunk.length, at)
  for (let done = 0; done < count;) done += writeSync(to, chunk, done, count - done, at + done)
  return count
}

const linkText = Buffer.alloc(4096)

function copyNode(source: number, target: number, name: string, stat: FileStat, owner?: Owner): void {
  if (stat.type === "symlink") {
    const length = check(libc.readlinkat(source, rawCString(name), linkText, linkText.length), "readlink", name)
    const text = linkText.toString("latin1", 0, length)
    checkNamed(libc.symlinkat(rawCString(text, 0), target, rawCString(name, 1)), "symlink", name)
  } else {
    checkNamed(libc.mknodat(target, rawCString(name), S_IFIFO | (stat.mode & 0o777), 0), "mkfifo", name)
  }
  setOwnerAt(target, name, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
  if (stat.type === "fifo") setModeAt(target, name, stat.mode)
  copyAttributes(pathAt(source, name), pathAt(target, name))
  setTimesAt(target, name, stat.mtime)
}

function copyDirectoryAttributes(source: number, target: number, owner?: Owner): void {
  const stat = statOf(source)
  setOwner(target, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
  setMode(target, stat.mode)
  copyAttributes(pathAt(source, "."), pathAt(target, "."))
  setTimes(target, stat.mtime)
}

/** Attributes that belong to the place, not to the file, stay there: overlay's own, and labels of the host's policy. */
export function copyAttributes(source: Uint8Array, target: Uint8Array): void {
  for (const name of listAttributes(source)) {
    if (name === OWNER_ATTRIBUTE || /^(trusted|user)\.overlay\.|^security\.(selinux|ima|evm)$/.test(name)) continue
    const value = getAttribute(source, name)
    try {
      if (value !== undefined) setAttribute(target, name, value)
    } catch (error) {
      if (!hasErrno(error, "EOPNOTSUPP", "EPERM")) throw error
    }
  }
}

function isWhiteout(stat: FileStat): boolean {
  return stat.type === "character" && stat.device.major === 0 && stat.device.minor === 0
}

/** Whether a directory of an overlay upper hides all that is below it; `path` is trusted but for its last name. */
export function isOpaqueDirectory(path: string | Uint8Array): boolean {
  return ["trusted", "user"].some((space) => getAttribute(path, `${space}.overlay.opaque`)?.toString() === "y")
}
