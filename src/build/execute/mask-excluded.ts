import { posix } from "node:path"
import { setMode, setOwner } from "../../sys/fs/attributes.ts"
import { openOrMakeDirectory, openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { readDirectory, statOf } from "../../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../../sys/libc.ts"
import { checkNamed, rawCString } from "../../sys/fs/raw-name.ts"
import type { Source } from "./executor.ts"

const S_IFCHR = 0o020000

/**
 * Fills `mask` with overlay whiteouts (a character device 0:0) for what the ignore file leaves out below the open directory,
 * which is `source` of `input`: laid over that directory, it hides them. False when there is nothing to hide.
 */
export function maskExcluded(directoryFd: number, mask: string, input: Source, source: string): boolean {
  using fds = new DisposableStack()
  const maskFd = fds.adopt(openRoot(mask), close)
  const top = fds.adopt(openRawInRoot(directoryFd, ".", O_DIRECTORY), close)
  const walk = new MaskWalk(maskFd, input, posix.normalize(`/${source}`).slice(1))
  walk.directory(top, "")
  return walk.masked
}

class MaskWalk {
  masked = false
  readonly #maskFd: number
  readonly #input: Source
  readonly #base: string

  constructor(maskFd: number, input: Source, base: string) {
    this.#maskFd = maskFd
    this.#input = input
    this.#base = base
  }

  directory(fd: number, path: string): void {
    const { excludes, mayHoldIncluded } = this.#input
    for (const { name, isDirectory } of readDirectory(fd)) {
      const child = path === "" ? name : `${path}/${name}`
      const shown = posix.join(this.#base, Buffer.from(child, "latin1").toString("utf8"))
      const isOut = excludes?.(shown, isDirectory) ?? false
      if (isOut && !(isDirectory && (mayHoldIncluded?.(shown) ?? true))) this.#hide(fd, path, name)
      else if (isDirectory) this.#child(fd, name, child)
    }
  }

  #child(fd: number, name: string, path: string): void {
    const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    const child = checkNamed(libc.openat(fd, rawCString(name), flags, 0), "open", name)
    try {
      this.directory(child, path)
    } finally {
      close(child)
    }
  }

  #hide(sourceFd: number, directory: string, name: string): void {
    using fds = new DisposableStack()
    const there = fds.adopt(openOrMakeDirectory(this.#maskFd, directory), close)
    checkNamed(libc.mknodat(there, rawCString(name), S_IFCHR, 0), "mknod", name)
    // the directory that is seen is the upper one
    const { uid, gid, mode } = statOf(sourceFd)
    const writable = fds.adopt(openRawInRoot(there, ".", O_DIRECTORY), close)
    setOwner(writable, uid, gid)
    setMode(writable, mode)
    this.masked = true
  }
}
