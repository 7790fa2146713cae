/** Gives all files of a tree to somebody, and no file of anybody else's. */
import { inSlices } from "../../base/time-slice.ts"
import { setOwnerAt } from "./attributes.ts"
import { readDirectory, statAt, statOf, type FileStat } from "./directory.ts"
import {
  AT_FDCWD,
  close,
  cString,
  lastErrno,
  libc,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  OPEN_DIRECTORY,
} from "../libc.ts"
import { checkNamed, rawCString, rawName } from "./raw-name.ts"
import { recordsOwners } from "./recorded-owner.ts"

const MAX_DEPTH = 512
const AT_EMPTY_PATH = 0x1000
const EINVAL = 22
const EMPTY = new Uint8Array(1)

/** Ids of the namespace that we are in. */
interface Owner {
  uid: number
  gid: number
}

/** What was left as it is: raw paths of files that have another name outside of the tree. */
export interface GivenTree {
  left: string[]
}

/**
 * Changes the owner of what is at the host path, and of all below it. No link is followed, no other file system entered. A file with a
 * hard link outside of the tree is somebody else's as well, and left. Safe to repeat. Throws SystemError, and the signal's reason.
 */
export async function giveTree(path: string, owner: Owner, signal?: AbortSignal): Promise<GivenTree> {
  return await inSlices(new Giving(owner).at(path), signal)
}

/** Names of a file with more than one. */
interface Linked {
  links: number
  names: string[]
}

class Giving {
  readonly #owner: Owner
  readonly #linked = new Map<string, Linked>()

  constructor(owner: Owner) {
    this.#owner = owner
  }

  *at(path: string): Generator<void, GivenTree> {
    // the way there is the host's own and trusted: a link in it is followed, as a mount follows it
    const fd = libc.openat(AT_FDCWD, cString(path), O_DIRECTORY | O_CLOEXEC, 0)
    if (fd < 0) return this.#file(path)
    try {
      yield* this.#directory(fd, "", 0)
      const left = yield* this.#linkedFiles(fd)
      // the last of all: who sees the top belong to its owner knows that the rest does
      this.#give(fd, ".", statAt(fd, "."))
      return { left }
    } finally {
      close(fd)
    }
  }

  #file(path: string): GivenTree {
    const stat = statAt(AT_FDCWD, rawName(path))
    if (stat !== undefined && stat.links > 1) return { left: [rawName(path)] }
    this.#give(AT_FDCWD, rawName(path), stat)
    return { left: [] }
  }

  *#directory(fd: number, path: string, depth: number): Generator<void, void> {
    if (depth > MAX_DEPTH) return
    for (const { name } of readDirectory(fd)) {
      yield
      const stat = statAt(fd, name)
      if (stat === undefined || stat.isMountRoot) continue
      const below = path === "" ? name : `${path}/${name}`
      if (stat.type === "directory") yield* this.#child(fd, name, below, depth)
      if (stat.type === "directory" || stat.links === 1) this.#give(fd, name, stat)
      else this.#remember(stat, below)
    }
  }

  *#child(parent: number, name: string, path: string, depth: number): Generator<void, void> {
    const fd = libc.openat(parent, rawCString(name), OPEN_DIRECTORY, 0)
    if (fd < 0) return // gone, or a link by now
    try {
      yield* this.#directory(fd, path, depth + 1)
    } finally {
      close(fd)
    }
  }

  #remember({ identity, links }: FileStat, path: string): void {
    const known = this.#linked.get(identity)
    if (known === undefined) this.#linked.set(identity, { links, names: [path] })
    else known.names.push(path)
  }

  *#linkedFiles(top: number): Generator<void, string[]> {
    const left: string[] = []
    for (const [identity, { links, names }] of this.#linked) {
      yield
      const [name = ""] = names
      if (names.length < links) left.push(name)
      else this.#giveLinked(top, name, identity)
    }
    return left
  }

  /** By its parent, gone to without links; a file that has taken its name meanwhile is left. */
  #giveLinked(top: number, path: string, identity: string): void {
    using fds = new DisposableStack()
    const parts = path.split("/")
    const name = parts.pop() ?? ""
    let fd = top
    for (const part of parts) {
      const next = libc.openat(fd, rawCString(part), OPEN_DIRECTORY, 0)
      if (next < 0) return
      fd = fds.adopt(next, close)
    }
    const stat = statAt(fd, name)
    if (stat?.identity === identity) this.#give(fd, name, stat)
  }

  #give(directory: number, name: string, stat: FileStat | undefined): void {
    const { uid, gid } = this.#owner
    if (stat === undefined || (stat.uid === uid && stat.gid === gid)) return
    const fd = libc.openat(directory, rawCString(name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
    if (fd < 0) return // it has just gone
    try {
      // what was looked at, and not what took its name: a hard link to somebody's file, made in this moment
      const now = statOf(fd)
      if (now.identity !== stat.identity || (now.type !== "directory" && now.links !== stat.links)) return
      const result = libc.fchownat(fd, EMPTY, uid, gid, AT_EMPTY_PATH)
      if (result < 0 && lastErrno() === EINVAL && recordsOwners()) setOwnerAt(directory, name, uid, gid)
      else checkNamed(result, "chown", name)
    } finally {
      close(fd)
    }
  }
}
