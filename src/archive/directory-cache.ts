import { hasErrno, InvalidArgument } from "../base/errors.ts"
import { openOrMakeDirectory, openRawInRoot } from "../sys/fs/confined.ts"
import { statAt } from "../sys/fs/directory.ts"
import { close, libc, O_DIRECTORY, O_PATH } from "../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../sys/fs/raw-name.ts"

const MAX_OPEN = 64

/** Descriptors of a tree's directories by raw path, each found by openat2 inside the root; entries of one directory share it. */
export class DirectoryCache implements Disposable {
  readonly #root: number
  readonly #onUncovered: (parentFd: number, name: string) => void
  readonly #open = new Map<string, number>()
  readonly #retired: number[] = []

  /** `onUncovered` is told of a directory made where a whiteout was. */
  constructor(rootFd: number, onUncovered: (parentFd: number, name: string) => void) {
    this.#root = rootFd
    this.#onUncovered = onUncovered
  }

  /** The directory, made with its parents when absent. Valid until the next `trim`. Throws InvalidArgument where a file is. */
  open(path: string): number {
    if (path === "") return this.#root
    return this.#open.get(path) ?? this.#keep(path, this.#make(path))
  }

  /** The directory, where it is; undefined where it is not. */
  find(path: string): number | undefined {
    if (path === "") return this.#root
    const known = this.#open.get(path)
    if (known !== undefined) return known
    try {
      return this.#keep(path, openRawInRoot(this.#root, path, O_PATH | O_DIRECTORY))
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined
      throw error
    }
  }

  /** To be called when a directory or link has gone: what was reached through it may be another now. */
  clear(): void {
    // whoever got one of these still works with it
    this.#retired.push(...this.#open.values())
    this.#open.clear()
  }

  /** Between two entries: closes what is too many, or was cleared. */
  trim(): void {
    if (this.#open.size >= MAX_OPEN) this.clear()
    for (const fd of this.#retired.splice(0)) close(fd)
  }

  [Symbol.dispose](): void {
    this.clear()
    this.trim()
  }

  #keep(path: string, fd: number): number {
    this.#open.set(path, fd)
    return fd
  }

  #make(path: string): number {
    try {
      return openOrMakeDirectory(this.#root, path)
    } catch (error) {
      if (hasErrno(error, "ELOOP", "ENOENT")) throw notADirectory(path, error)
      if (!hasErrno(error, "ENOTDIR")) throw error
      this.#uncover(path, error)
    }
    return openOrMakeDirectory(this.#root, path)
  }

  /** image-spec layer.md#whiteouts: `a` hidden and `a/b` added means a new directory `a` with `b` alone. */
  #uncover(path: string, cause: unknown): void {
    const parts = path.split("/")
    for (let depth = 0; depth < parts.length; depth++) {
      const name = parts[depth] ?? ""
      const parent = this.find(parts.slice(0, depth).join("/"))
      if (parent === undefined) break
      if (!isWhiteoutAt(parent, name)) continue
      checkNamed(libc.unlinkat(parent, rawCString(name), 0), "remove", name)
      checkNamed(libc.mkdirat(parent, rawCString(name), 0o755), "mkdir", name)
      return this.#onUncovered(parent, name)
    }
    throw notADirectory(path, cause)
  }
}

/** Whether a whiteout stands there: overlayfs.rst, a character device 0:0. */
export function isWhiteoutAt(directoryFd: number, name: string): boolean {
  const stat = statAt(directoryFd, name)
  return stat?.type === "character" && stat.device.major === 0 && stat.device.minor === 0
}

function notADirectory(path: string, cause: unknown): InvalidArgument {
  return new InvalidArgument(`the layer has files below ${shownName(path)}, which is no directory`, { cause })
}
