/** The writing side of COPY: one found source into one place of the root, as fsutil/copy of BuildKit does. */
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { setMode, setModeAt, setOwner, setOwnerAt, setTimes, setTimesAt, type Time } from "../../sys/fs/attributes.ts"
import { readLinkAt } from "../../sys/fs/confined-path.ts"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import { copyAttributes, copyBytes } from "../../sys/fs/copy-tree.ts"
import { readDirectory, statAt, statOf, type FileStat } from "../../sys/fs/directory.ts"
import type { Owner } from "../../sys/fs/image-users.ts"
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
} from "../../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../../sys/fs/raw-name.ts"
import { listAttributes, pathAt } from "../../sys/fs/xattr.ts"
import type { ChangeMode } from "./file-mode.ts"
import { shownText } from "./find-sources.ts"
import type { SourceFilter } from "./source-filter.ts"

const O_WRONLY_CREAT_EXCL = 0o301
const EEXIST = 17
const MAX_DEPTH = 400
const DEFAULT_ACL = "system.posix_acl_default"
const SMALL_BYTES = 128 * 1024
/** Entries between two looks at the clock. */
const BATCH = 64
const S_IFMT = { fifo: 0o010000, character: 0o020000, block: 0o060000, socket: 0o140000 } as const

/** How copied files differ from their sources. */
export interface CopyInOptions {
  /** Of all that is made; undefined: the file's own. */
  owner?: Owner
  chmod?: ChangeMode
  /** Seconds since 1970, in place of the files' own times. */
  epoch?: number
  /** Extended attributes stay behind: docker's client sends none of those of a context. */
  plain?: boolean
}

/** An open directory of the root. */
interface Target {
  fd: number
  /** Where in the root. */
  path: string
  /** What is made in it has exactly the mode that was asked for, and our own ids: no set-group-id bit, no default ACL. */
  isStepRuntime: boolean
}

/** A directory that was passed through, and is made when something in it is taken. */
interface Level {
  source: number
  stat: FileStat
  target: Target | undefined
  path: string
  name: string
}

/** Copies entries; generators, so that whoever drives them may let others work in between. */
export class CopyIn {
  readonly #options: CopyInOptions
  /** Where the first name of a file with more than one was made. */
  readonly #linked = new Map<string, { directory: string; name: string }>()
  readonly #rootFd: number
  readonly #umask = process.umask()
  #count = 0

  constructor(rootFd: number, options: CopyInOptions) {
    this.#rootFd = rootFd
    this.#options = options
  }

  /** A file, link or node becomes `directory/name` of the root. */
  file(source: number, sourceName: string, stat: FileStat, directory: string, name: string): void {
    const target = openTarget(openRawInRoot(this.#rootFd, directory, O_DIRECTORY), directory)
    try {
      this.#entry(source, sourceName, stat, target, name)
    } finally {
      close(target.fd)
    }
  }

  /** What is in the open directory goes into `directory` of the root, which is there: it keeps its owner and mode. */
  *directory(source: number, directory: string, filter: SourceFilter | undefined): Generator<void> {
    const target = openTarget(openRawInRoot(this.#rootFd, directory, O_DIRECTORY), directory)
    try {
      const stat = statOf(source)
      yield* this.#contents([{ source, stat, target, path: directory, name: "" }], "", filter)
      setTimes(target.fd, this.#time(stat))
    } finally {
      close(target.fd)
    }
  }

  *#contents(levels: Level[], path: string, filter: SourceFilter | undefined): Generator<void> {
    const level = levels.at(-1)
    if (level === undefined) return
    if (levels.length > MAX_DEPTH)
      throw new InvalidArgument(`directories are nested deeper than ${MAX_DEPTH}: ${shownName(path)}`)
    for (const { name, isDirectory } of readDirectory(level.source)) {
      if (++this.#count % BATCH === 0) yield
      const child = path === "" ? name : `${path}/${name}`
      const verdict = filter === undefined ? "in" : filter(shownText(child), isDirectory)
      if (verdict === "out") continue
      if (isDirectory) yield* this.#child(levels, name, child, verdict === "in", filter)
      else {
        const stat = statAt(level.source, name)
        if (stat !== undefined) this.#entry(level.source, name, stat, this.#make(levels), name)
      }
    }
  }

  *#child(
    levels: Level[],
    name: string,
    path: string,
    isTaken: boolean,
    filter: SourceFilter | undefined,
  ): Generator<void> {
    const parent = levels.at(-1)
    if (parent === undefined) return
    const source = checkNamed(libc.openat(parent.source, rawCString(name), OPEN_DIRECTORY, 0), "open", path)
    const where = parent.path === "" ? name : `${parent.path}/${name}`
    const level: Level = { source, stat: statOf(source), target: undefined, path: where, name }
    try {
      const inner = [...levels, level]
      if (isTaken) this.#make(inner)
      yield* this.#contents(inner, path, filter)
      if (level.target === undefined) return
      this.#describeDirectory(level.source, level.target.fd, level.stat)
    } finally {
      close(source)
      if (level.target !== undefined) close(level.target.fd)
    }
  }

  /** The target directory of the last level, made with those above it that were only passed through. */
  #make(levels: readonly Level[]): Target {
    let parent: Target = NOWHERE
    for (const level of levels) parent = level.target ??= openOrMake(parent.fd, level)
    return parent
  }

  #describeDirectory(source: number, target: number, stat: FileStat): void {
    const { uid, gid } = this.#options.owner ?? stat
    setOwner(target, uid, gid)
    setMode(target, this.#mode(stat))
    if (!this.#options.plain) copyAttributes(pathAt(source, "."), pathAt(target, "."))
    setTimes(target, this.#time(stat))
  }

  #entry(source: number, sourceName: string, stat: FileStat, target: Target, name: string): void {
    const { fd, path } = target
    if (stat.type !== "file") return this.#node(source, sourceName, stat, fd, name)
    const first = stat.links > 1 ? this.#linked.get(stat.identity) : undefined
    if (first !== undefined) return this.#link(first, fd, name)
    this.#file(source, sourceName, stat, target, name)
    if (stat.links > 1) this.#linked.set(stat.identity, { directory: path, name })
  }

  #link({ directory, name: firstName }: { directory: string; name: string }, target: number, name: string): void {
    const from = openRawInRoot(this.#rootFd, directory, O_DIRECTORY)
    try {
      create(target, name, () => libc.linkat(from, rawCString(firstName, 0), target, rawCString(name, 1), 0))
    } finally {
      close(from)
    }
  }

  #file(source: number, sourceName: string, stat: FileStat, target: Target, name: string): void {
    // O_NONBLOCK: it may have become a FIFO since we looked
    const flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    const from = checkNamed(libc.openat(source, rawCString(sourceName), flags, 0), "open", sourceName)
    let to = -1
    try {
      const mode = this.#mode(stat)
      const { uid, gid } = this.#options.owner ?? stat
      // a call saved for each of most files: 50,000 of them are copied in a second or two
      const isMadeSo = target.isStepRuntime && (mode & (this.#umask | 0o7000)) === 0
      const isOurs = target.isStepRuntime && uid === 0 && gid === 0
      const open = O_WRONLY_CREAT_EXCL | O_CLOEXEC
      to = create(target.fd, name, () => libc.openat(target.fd, rawCString(name), open, isMadeSo ? mode : 0o600))
      copyContent(from, to, stat)
      if (!isOurs) setOwner(to, uid, gid)
      if (!isMadeSo) setMode(to, mode)
      if (!this.#options.plain && libc.flistxattr(from, null, 0) > 0)
        copyAttributes(pathAt(source, sourceName), pathAt(target.fd, name))
      setTimes(to, this.#time(stat))
    } finally {
      close(from)
      if (to >= 0) close(to)
    }
  }

  #node(source: number, sourceName: string, stat: FileStat, target: number, name: string): void {
    const { type, device } = stat
    if (type === "symlink") {
      const text = readLinkAt(source, sourceName)
      create(target, name, () => libc.symlinkat(rawCString(text, 0), target, rawCString(name, 1)))
    } else if (type !== "file" && type !== "directory") {
      const number = makeDevice(device)
      create(target, name, () => libc.mknodat(target, rawCString(name), S_IFMT[type] | 0o600, number))
    }
    const { uid, gid } = this.#options.owner ?? stat
    setOwnerAt(target, name, uid, gid)
    if (type !== "symlink") setModeAt(target, name, this.#mode(stat))
    if (!this.#options.plain) copyAttributes(pathAt(source, sourceName), pathAt(target, name))
    setTimesAt(target, name, this.#time(stat))
  }

  #mode(stat: FileStat): number {
    return this.#options.chmod?.(stat.mode, stat.type === "directory") ?? stat.mode
  }

  #time(stat: FileStat): Time {
    const { epoch } = this.#options
    return epoch === undefined ? stat.mtime : { seconds: BigInt(epoch), nanoseconds: 0 }
  }
}

const NOWHERE: Target = { fd: -1, path: "", isStepRuntime: false }

function openTarget(fd: number, path: string): Target {
  const isStepRuntime = (statOf(fd).mode & 0o2000) === 0 && !listAttributes(pathAt(fd, ".")).includes(DEFAULT_ACL)
  return { fd, path, isStepRuntime }
}

function openOrMake(parent: number, { name, path }: Level): Target {
  const made = libc.mkdirat(parent, rawCString(name), 0o700)
  if (made < 0 && lastErrno() !== EEXIST) checkNamed(made, "mkdir", path)
  const fd = libc.openat(parent, rawCString(name), OPEN_DIRECTORY, 0)
  if (fd >= 0) return openTarget(fd, path)
  throw new FailedPrecondition(`cannot copy to non-directory: ${shownName(`/${path}`)}`, {
    hint: "the source has a directory of this name, the target a file or a link",
  })
}

/** Runs a call that makes `name`; a file that is there makes way, a directory does not. */
function create(target: number, name: string, call: () => number): number {
  const result = call()
  if (result >= 0) return result
  if (lastErrno() !== EEXIST) return checkNamed(result, "create", name)
  if (statAt(target, name)?.type === "directory")
    throw new FailedPrecondition(`cannot replace to directory ${shownName(name)} with file`, {
      hint: "the target has a directory of this name, the source a file",
    })
  checkNamed(libc.unlinkat(target, rawCString(name), 0), "remove", name)
  return checkNamed(call(), "create", name)
}

const buffer = Buffer.allocUnsafe(SMALL_BYTES)

function copyContent(from: number, to: number, { sizeBytes }: FileStat): void {
  if (sizeBytes === 0) return
  if (sizeBytes > SMALL_BYTES) return copyBytes(from, to, sizeBytes)
  const count = check(libc.read(from, buffer, sizeBytes), "read")
  // a short write to a disk means that it is full: the next call says so
  for (let done = 0; done < count;)
    done += check(libc.write(to, done === 0 ? buffer : buffer.subarray(done), count - done), "write")
}

/** makedev(3) of the kernel's 32 bits. */
function makeDevice({ major, minor }: FileStat["device"]): number {
  return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)
}
