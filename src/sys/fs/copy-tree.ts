import { readSync, writeSync } from "node:fs"
import { atOnce, inSlices } from "../../base/time-slice.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import { setMode, setModeAt, setOwner, setOwnerAt, setTimes, setTimesAt } from "./attributes.ts"
import { FileCloner } from "./clone-file.ts"
import { openInRoot, openOrMakeDirectory, openRawInRoot, openRoot } from "./confined.ts"
import { deviceNumber } from "./device-numbers.ts"
import { isWhiteout, readDirectory, statAt, statOf, type FileStat } from "./directory.ts"
import {
  check,
  close,
  lastErrno,
  libc,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  OPEN_DIRECTORY,
} from "../libc.ts"
import { checkNamed, rawCString, rawName, shownName } from "./raw-name.ts"
import { isOfKernel } from "./kernel-files.ts"
import { OWNER_ATTRIBUTE } from "./recorded-owner.ts"
import { removalAt } from "./remove-tree.ts"
import { getAttribute, listAttributes, pathAt, setAttribute, type Attributed } from "./xattr.ts"

const MAX_DEPTH = 512
const S_IFIFO = 0o010000
const O_WRONLY = 1
const O_CREAT = 0o100
const O_EXCL = 0o200

/** How a copy differs from its source. */
export interface CopyTreeOptions {
  /** The source is an overlay upper: its whiteouts remove from the target, its opaque directories empty theirs first. */
  overlayDiff?: boolean
  /** Whose all copies shall be; undefined: as in the source. */
  owner?: Owner
  /** Leaves the attributes of the target directory itself as they are. */
  keepTop?: boolean
  /** A directory in the place of another kind of file, and the other way round, is refused and not replaced. Default `replace`. */
  kindChange?: "replace" | "refuse"
  /** Others change the source meanwhile: what has gone by the time it is opened is passed over. */
  isLive?: boolean
  /** Set-id bits and capabilities of files are not taken along: who gets the copies trusts nobody who set them. */
  dropPrivilege?: boolean
  /**
   * All that can be kept is, and what cannot be is an error: devices and sockets too (those that the kernel lets us make), every hole,
   * every attribute. File data are shared with the source where the file system can (reflink).
   */
  exact?: boolean
  /** Receives the size of each file that was copied. */
  onContent?: (bytes: number) => void
  signal?: AbortSignal | undefined
}

/** A name (raw) in an open directory. */
export interface NameAt {
  directory: number
  name: string
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
  yield* new TreeCopy(target, options).copyDirectory(source, target, "", 0)
  if (!options.keepTop) copyDirectoryAttributes(source, target, options)
}

/**
 * Copies what has the name `source`, with all below it, to the name `target`: as copyTree does. A directory is merged into one
 * that is there. Throws FailedPrecondition by `kindChange`, InvalidArgument for what is copied by no one: devices, sockets, and
 * what the kernel makes up (proc(5), sysfs(5)).
 */
export async function copyName(source: NameAt, target: NameAt, options: CopyTreeOptions = {}): Promise<void> {
  const stat = statAt(source.directory, source.name)
  if (stat === undefined) throw new NotFound(`no such file: ${shownName(source.name)}`)
  if (isUncopied(stat)) throw new InvalidArgument(`${shownName(source.name)} is a ${kindOf(stat)}, which is not copied`)
  await inSlices(new TreeCopy(target.directory, options).copyNamed(source, target, stat), options.signal)
}

/** Copies what is in one open directory into another; neither is opened by O_PATH. As copyName. */
export async function copyContents(source: number, target: number, options: CopyTreeOptions = {}): Promise<void> {
  const copy = function* (): Generator<void, void> {
    yield* new TreeCopy(target, options).copyDirectory(source, target, "", 0)
    if (!options.keepTop) copyDirectoryAttributes(source, target, options)
  }
  await inSlices(copy(), options.signal)
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
  readonly #options: CopyTreeOptions
  readonly #cloner: FileCloner | undefined
  /** Where the first name of a file with more than one lies in the target. */
  readonly #linked = new Map<string, string>()
  /** The first directory that is written to: a copy of a tree into itself has no end. */
  #own: string | undefined

  constructor(top: number, options: CopyTreeOptions) {
    this.#top = top
    this.#options = options
    this.#cloner = options.exact ? new FileCloner() : undefined
  }

  copyNamed(source: NameAt, target: NameAt, stat: FileStat): Generator<void, void> {
    return this.#copyEntry(source, target, stat, target.name, 0)
  }

  *copyDirectory(source: number, target: number, path: string, depth: number): Generator<void, void> {
    if (depth > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    if (isOfKernel(source)) return
    this.#own ??= statOf(target).identity
    for (const { name } of readDirectory(source)) {
      yield
      const stat = statAt(source, name)
      if (stat === undefined) continue
      const below = path === "" ? name : `${path}/${name}`
      yield* this.#copyEntry({ directory: source, name }, { directory: target, name }, stat, below, depth)
    }
  }

  *#copyEntry(source: NameAt, target: NameAt, stat: FileStat, path: string, depth: number): Generator<void, void> {
    try {
      yield* this.#copyAs(source, target, stat, path, depth)
    } catch (error) {
      if (!(error instanceof Gone)) throw error
      if (!this.#options.isLive) throw error.cause
    }
  }

  *#copyAs(source: NameAt, target: NameAt, stat: FileStat, path: string, depth: number): Generator<void, void> {
    if (this.#options.kindChange === "refuse" && !isUncopied(stat)) refuseChange(target, stat, path)
    if (stat.type === "directory") {
      if (stat.identity === this.#own) return
      return yield* this.#copyChild(source, target, path, depth)
    }
    if (isUncopied(stat) && !this.#options.exact) {
      if (this.#options.overlayDiff && isWhiteout(stat)) yield* removalAt(target.directory, target.name, path)
      return
    }
    const first = stat.links > 1 ? this.#linked.get(stat.identity) : undefined
    if (first === undefined && stat.type === "file") {
      // opened before the way is made: what has gone leaves the target as it is
      using from = openFile(source)
      yield* removalAt(target.directory, target.name, path)
      yield* copyFile(from.fd, target, this.#options, this.#cloner)
    } else {
      yield* removalAt(target.directory, target.name, path)
      if (first !== undefined) return this.#link(first, target)
      copyNode(source, target, stat, this.#options)
    }
    if (stat.links > 1) this.#linked.set(stat.identity, path)
  }

  *#copyChild(source: NameAt, target: NameAt, path: string, depth: number): Generator<void, void> {
    using fds = new DisposableStack()
    const from = fds.adopt(
      orGone(() => openChild(source.directory, source.name)),
      close,
    )
    const there = statAt(target.directory, target.name)
    if (
      there !== undefined &&
      (there.type !== "directory" ||
        (this.#options.overlayDiff && isOpaqueDirectory(pathAt(source.directory, source.name))))
    )
      yield* removalAt(target.directory, target.name, path)
    const made = libc.mkdirat(target.directory, rawCString(target.name), 0o700)
    if (made < 0 && lastErrno() !== EEXIST) checkNamed(made, "mkdir", path)
    const to = fds.adopt(openChild(target.directory, target.name), close)
    if (made < 0 && isOfKernel(to))
      throw new InvalidArgument(`${shownName(path)} is the kernel's own there: nothing is copied into it`)
    yield* this.copyDirectory(from, to, path, depth + 1)
    copyDirectoryAttributes(from, to, this.#options)
  }

  #link(first: string, target: NameAt): void {
    const cut = first.lastIndexOf("/")
    const directory = openRawInRoot(this.#top, first.slice(0, Math.max(cut, 0)), O_DIRECTORY)
    try {
      const name = rawCString(first.slice(cut + 1), 0)
      const result = libc.linkat(directory, name, target.directory, rawCString(target.name, 1), 0)
      checkNamed(result, "link", target.name)
    } finally {
      close(directory)
    }
  }
}

const EEXIST = 17

/** What was to be copied is not there any more, or has become something else. */
class Gone extends Error {}

function orGone<T>(open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) throw new Gone("gone", { cause: error })
    throw error
  }
}

function isUncopied({ type }: FileStat): boolean {
  return type === "socket" || type === "block" || type === "character"
}

function kindOf({ type }: FileStat): string {
  return type === "socket" ? type : `${type} device`
}

function refuseChange(target: NameAt, stat: FileStat, path: string): void {
  const there = statAt(target.directory, target.name)
  if (there === undefined || (there.type === stat.type && !isUncopied(there))) return
  if (isUncopied(there))
    throw new FailedPrecondition(`cannot overwrite ${shownName(path)}, which is a ${kindOf(there)}`)
  if (there.type !== "directory" && stat.type !== "directory") return
  throw new FailedPrecondition(
    there.type === "directory"
      ? `cannot overwrite directory ${shownName(path)} with non-directory`
      : `cannot overwrite non-directory ${shownName(path)} with directory`,
    { hint: "remove it first, or ask for it to be overwritten" },
  )
}

function openChild(directoryFd: number, name: string): number {
  return checkNamed(libc.openat(directoryFd, rawCString(name), OPEN_DIRECTORY, 0), "open", name)
}

function openFile({ directory, name }: NameAt): Disposable & { fd: number } {
  // O_NONBLOCK: it may have become a FIFO since we looked
  const flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
  const fd = orGone(() => checkNamed(libc.openat(directory, rawCString(name), flags, 0), "open", name))
  return { fd, [Symbol.dispose]: () => close(fd) }
}

function* copyFile(
  from: number,
  target: NameAt,
  options: CopyTreeOptions,
  cloner: FileCloner | undefined,
): Generator<void, void> {
  const { owner, dropPrivilege, onContent } = options
  const stat = statOf(from)
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
  const to = checkNamed(libc.openat(target.directory, rawCString(target.name), flags, 0o600), "create", target.name)
  try {
    if (stat.type === "file" && !(stat.sizeBytes > 0 && cloner?.clone(from, to)))
      yield* bytesCopy(from, to, stat.sizeBytes, cloner !== undefined && stat.allocatedBytes < stat.sizeBytes)
    setOwner(to, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
    setMode(to, dropPrivilege ? stat.mode & 0o1777 : stat.mode)
    // by the descriptor: of `/proc/self/fd/…` itself, a link, there are none
    copyAttributes(from, pathAt(target.directory, target.name), options)
    setTimes(to, stat.mtime)
    onContent?.(stat.sizeBytes)
  } finally {
    close(to)
  }
}

const SEEK_DATA = 3
const SEEK_HOLE = 4
const fromOffset = new BigInt64Array(1)
const toOffset = new BigInt64Array(1)

/** Copies the parts that hold data, and no holes: a sparse file of 2^40 bytes must not fill the disk. */
export function copyBytes(from: number, to: number, sizeBytes: number): void {
  atOnce(bytesCopy(from, to, sizeBytes))
}

function* bytesCopy(from: number, to: number, sizeBytes: number, hasHoles = false): Generator<void, void> {
  if (sizeBytes <= SMALL_BYTES && !hasHoles) return copySmall(from, to, sizeBytes)
  check(libc.ftruncate(to, sizeBytes), "truncate")
  for (let at = 0; at < sizeBytes;) {
    const start = Number(libc.lseek(from, at, SEEK_DATA))
    if (start < 0) return // ENXIO: only a hole is left
    const end = Math.min(check(libc.lseek(from, start, SEEK_HOLE), "seek"), sizeBytes)
    yield* copyRange(from, to, start, end)
    at = end
  }
}

/** Most files are small: two calls, where holes and the kernel's own copying need six. */
const SMALL_BYTES = 64 * 1024
const small = Buffer.alloc(SMALL_BYTES)

function copySmall(from: number, to: number, sizeBytes: number): void {
  const count = sizeBytes === 0 ? 0 : readSync(from, small, 0, sizeBytes, 0)
  for (let done = 0; done < count;) done += writeSync(to, small, done, count - done)
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

function copyNode(source: NameAt, target: NameAt, stat: FileStat, options: CopyTreeOptions): void {
  const { directory, name } = target
  const { owner } = options
  if (stat.type === "symlink") {
    const text = rawCString(source.name)
    const length = orGone(() => check(libc.readlinkat(source.directory, text, linkText, linkText.length), "readlink"))
    const link = linkText.toString("latin1", 0, length)
    checkNamed(libc.symlinkat(rawCString(link, 0), directory, rawCString(name, 1)), "symlink", name)
  } else if (!makeNode(target, stat)) return
  setOwnerAt(directory, name, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
  if (stat.type !== "symlink") setModeAt(directory, name, stat.mode)
  orGone(() => copyAttributes(pathAt(source.directory, source.name), pathAt(directory, name), options))
  setTimesAt(directory, name, stat.mtime)
}

const NODE_TYPES: Readonly<Record<string, number>> = {
  fifo: S_IFIFO,
  character: 0o020000,
  block: 0o060000,
  socket: 0o140000,
}

/** False of a device that an ordinary user may not make: no file of his own can be one either. */
function makeNode({ directory, name }: NameAt, stat: FileStat): boolean {
  const type = NODE_TYPES[stat.type] ?? S_IFIFO
  const made = libc.mknodat(directory, rawCString(name), type | (stat.mode & 0o777), deviceNumber(stat.device))
  if (made < 0 && isDevice(stat) && lastErrno() === EPERM) return false
  checkNamed(made, "mknod", name)
  return true
}

const EPERM = 1

function isDevice({ type }: FileStat): boolean {
  return type === "block" || type === "character"
}

function copyDirectoryAttributes(source: number, target: number, options: CopyTreeOptions): void {
  const { owner, dropPrivilege } = options
  const stat = statOf(source)
  setOwner(target, owner?.uid ?? stat.uid, owner?.gid ?? stat.gid)
  setMode(target, dropPrivilege ? stat.mode & 0o1777 : stat.mode)
  copyAttributes(pathAt(source, "."), pathAt(target, "."), options)
  setTimes(target, stat.mtime)
}

/** Attributes that belong to the place, not to the file, stay there: overlay's own, and labels of the host's policy. */
export function copyAttributes(
  source: Attributed,
  target: Uint8Array,
  { dropPrivilege = false, exact = false }: Pick<CopyTreeOptions, "dropPrivilege" | "exact"> = {},
): void {
  for (const name of listAttributes(source)) {
    if (dropPrivilege && name === "security.capability") continue
    if (name === OWNER_ATTRIBUTE || /^(trusted|user)\.overlay\.|^security\.(selinux|ima|evm)$/.test(name)) continue
    const value = getAttribute(source, name)
    try {
      if (value !== undefined) setAttribute(target, name, value)
    } catch (error) {
      if (exact || !hasErrno(error, "EOPNOTSUPP", "EPERM")) throw error
    }
  }
}

/** Whether a directory of an overlay upper hides all that is below it; `path` is trusted but for its last name. */
export function isOpaqueDirectory(path: string | Uint8Array): boolean {
  return ["trusted", "user"].some((space) => getAttribute(path, `${space}.overlay.opaque`)?.toString() === "y")
}
