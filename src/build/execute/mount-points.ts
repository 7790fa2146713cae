/** MovedMounts in the root that the mounts of a RUN stand on: made before it, gone after it. */
import { setModeAt, setTimes } from "../../sys/fs/attributes.ts"
import { resolveInRoot } from "../../sys/fs/confined-path.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { statAt, statOf, type FileStat } from "../../sys/fs/directory.ts"
import { AT_REMOVEDIR, close, libc, O_DIRECTORY } from "../../sys/libc.ts"
import { checkNamed, rawCString, rawName } from "../../sys/fs/raw-name.ts"

const O_WRONLY_CREAT_EXCL = 0o301

/** What must be there to be mounted on, for the time of a step. */
export interface MountPoint {
  /** Absolute path in the container. */
  target: string
  type: "file" | "directory"
  /** Of a new directory; default 0755. */
  mode?: number
}

interface Made {
  directory: Directory
  name: string
  stat: FileStat
}

interface Directory {
  fd: number
  before: FileStat
  after: FileStat
}

/** The runtime mounts its own there, so nothing of the root is seen. */
const COVERED = ["/proc", "/dev", "/sys"]

/**
 * Makes the mount points that `root` lacks, with their parents. Disposing removes those that are still empty, by the
 * descriptors of the directories they were made in: whatever RUN put in the way of a path, nothing else is touched
 * (CVE-2024-23652). A directory that RUN left alone has its old time again.
 */
export function makeMountPoints(root: string, points: readonly MountPoint[]): Disposable {
  const maker = new PointMaker(openRoot(root))
  try {
    points.forEach(({ target, type, mode }, index) => {
      const above = [...COVERED, ...points.slice(0, index).map((point) => point.target)]
      if (!above.some((directory) => target === directory || target.startsWith(`${directory}/`)))
        maker.make(target, type, mode)
    })
  } catch (error) {
    maker[Symbol.dispose]()
    throw error
  }
  return maker
}

class PointMaker implements Disposable {
  readonly #rootFd: number
  readonly #directories = new Map<string, Directory>()
  readonly #made: Made[] = []

  constructor(rootFd: number) {
    this.#rootFd = rootFd
  }

  make(target: string, type: MountPoint["type"], mode?: number): void {
    const found = resolveInRoot(this.#rootFd, rawName(target))
    const names = found.path.split("/")
    for (let depth = names.length - found.missing; depth < names.length; depth++) {
      const directory = this.#directory(names.slice(0, depth).join("/"))
      const isLast = depth === names.length - 1
      const name = names[depth] ?? ""
      this.#makeOne(directory, name, isLast ? type : "directory")
      if (isLast && mode !== undefined) setModeAt(directory.fd, name, mode)
    }
  }

  #directory(path: string): Directory {
    const fd = openRawInRoot(this.#rootFd, path, O_DIRECTORY)
    const before = statOf(fd)
    const known = this.#directories.get(before.identity)
    if (known === undefined) {
      const directory = { fd, before, after: before }
      this.#directories.set(before.identity, directory)
      return directory
    }
    close(fd)
    return known
  }

  #makeOne(directory: Directory, name: string, type: MountPoint["type"]): void {
    if (type === "directory") checkNamed(libc.mkdirat(directory.fd, rawCString(name), 0o755), "mkdir", name)
    else close(checkNamed(libc.openat(directory.fd, rawCString(name), O_WRONLY_CREAT_EXCL, 0o644), "create", name))
    directory.after = statOf(directory.fd)
    const stat = statAt(directory.fd, name)
    if (stat !== undefined) this.#made.push({ directory, name, stat })
  }

  [Symbol.dispose](): void {
    const times = [...this.#directories.values()].map(({ fd, before, after }) => {
      const { mtime } = statOf(fd)
      return { fd, time: isSameTime(mtime, after.mtime) ? before.mtime : mtime }
    })
    for (const { directory, name, stat } of this.#made.toReversed()) {
      const now = statAt(directory.fd, name)
      if (now?.identity !== stat.identity || (now.type === "file" && now.sizeBytes > 0)) continue
      // ENOTEMPTY: RUN has put something there, so it stays
      libc.unlinkat(directory.fd, rawCString(name), now.type === "directory" ? AT_REMOVEDIR : 0)
    }
    for (const { fd, time } of times) {
      // one of those just removed has no links left
      if (statOf(fd).links > 0) setTimes(fd, time)
      close(fd)
    }
    this.#directories.clear()
    this.#made.length = 0
    close(this.#rootFd)
  }
}

function isSameTime(a: FileStat["mtime"], b: FileStat["mtime"]): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds
}
