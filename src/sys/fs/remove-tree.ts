import { basename, dirname } from "node:path"
import { atOnce, inSlices } from "../../base/time-slice.ts"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { setModeAt } from "./attributes.ts"
import { directoryParts, statAt, type DirectoryEntry } from "./directory.ts"
import { AT_FDCWD, AT_REMOVEDIR, check, close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../libc.ts"
import { checkNamed, rawCString, rawName, shownName } from "./raw-name.ts"

const MAX_DEPTH = 64
/** Of one directory, in memory at a time: a container may have made any number. */
const PART_NAMES = 2_000

/**
 * Removes a tree that a container or an image made, at a host path whose parent is trusted. False when nothing was there.
 * Never follows a link, never leaves the file system: throws FailedPrecondition where something is mounted, and the signal's
 * reason. Safe to repeat, and beside another process that removes the same.
 */
export async function removeTree(path: string, signal?: AbortSignal): Promise<boolean> {
  return await inSlices(removal(path), signal)
}

/** `removeTree` at once: for small trees, and for who cannot wait. */
export function removeTreeSync(path: string): boolean {
  return atOnce(removal(path))
}

/** `removeTreeSync` of a raw name inside an open directory; `shownPath` is for the message. */
export function removeAt(parentFd: number, name: string, shownPath: string): boolean {
  return atOnce(removalAt(parentFd, name, shownPath))
}

function* removal(path: string): Generator<void, boolean> {
  const parentFd = openDirectory(AT_FDCWD, rawName(dirname(path)))
  if (parentFd === undefined) return false
  try {
    return yield* removalAt(parentFd, rawName(basename(path)), path)
  } finally {
    close(parentFd)
  }
}

/** `removeAt`, which may pause wherever it yields. */
export function* removalAt(parentFd: number, name: string, shownPath: string): Generator<void, boolean> {
  const stat = statAt(parentFd, name)
  if (stat === undefined) return false
  if (stat.type === "directory") yield* removeDirectory(parentFd, name, shownPath)
  else unlink(parentFd, name, 0)
  return true
}

function* removeDirectory(parentFd: number, name: string, path: string): Generator<void, void> {
  const top = openDirectory(parentFd, name)
  if (top === undefined) return
  let moved = 0
  /** A directory too deep for one descriptor a level goes up to the top, where the next round finds it. */
  const moveUp = (fd: number, child: string): void => {
    const target = `.skiff-deep-${process.pid}-${moved++}`
    checkNamed(libc.renameat2(fd, rawCString(child, 0), top, rawCString(target, 1), 0), "rename", child)
  }
  try {
    refuseMount(parentFd, name, path)
    for (let before = -1; before !== moved;) {
      before = moved
      // opened anew for each round: reading goes on from a descriptor's own offset
      yield* withDirectory(top, ".", (fd) => emptyDirectory(fd, path, 0, moveUp))
    }
  } finally {
    close(top)
  }
  unlink(parentFd, name, AT_REMOVEDIR)
}

type MoveUp = (fd: number, child: string) => void

function* emptyDirectory(fd: number, path: string, depth: number, moveUp: MoveUp): Generator<void, void> {
  let parts = 0
  for (const part of directoryParts(fd, PART_NAMES)) {
    parts++
    for (const entry of part) {
      yield
      yield* removeEntry(fd, entry, { path, depth, moveUp })
    }
  }
  // readdir(3) leaves open what a reading shows that goes on after names were removed: it is read again until one part has all
  if (parts > 1) yield* withDirectory(fd, ".", (again) => emptyDirectory(again, path, depth, moveUp))
}

function* removeEntry(
  fd: number,
  { name, isDirectory }: DirectoryEntry,
  { path, depth, moveUp }: { path: string; depth: number; moveUp: MoveUp },
): Generator<void, void> {
  if (!isDirectory) return unlink(fd, name, 0)
  if (depth === MAX_DEPTH) return moveUp(fd, name)
  yield* withDirectory(fd, name, (child) => {
    refuseMount(fd, name, path)
    return emptyDirectory(child, path, depth + 1, moveUp)
  })
  unlink(fd, name, AT_REMOVEDIR)
}

/** Runs `body` on the directory, opened; not at all when it has gone. */
function* withDirectory(
  parentFd: number,
  name: string,
  body: (fd: number) => Generator<void, void>,
): Generator<void, void> {
  const fd = openDirectory(parentFd, name)
  if (fd === undefined) return
  try {
    yield* body(fd)
  } finally {
    close(fd)
  }
}

/** Opens a directory for reading, made readable first where its mode forbids that; undefined when it has gone. */
function openDirectory(fd: number, name: string): number | undefined {
  const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
  const open = (): number => checkNamed(libc.openat(fd, rawCString(name), flags, 0), "open", name)
  try {
    return open()
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined
    if (!hasErrno(error, "EACCES") || fd === AT_FDCWD) throw error
  }
  setModeAt(fd, name, 0o700)
  return open()
}

function refuseMount(parentFd: number, name: string, path: string): void {
  if (statAt(parentFd, name)?.isMountRoot !== true) return
  throw new FailedPrecondition(`something is mounted on ${shownName(name)} in "${path}"`, {
    hint: `it is not removed through a mount; see: findmnt -R "${path}"`,
  })
}

function unlink(fd: number, name: string, flags: number): void {
  const remove = (): number => checkNamed(libc.unlinkat(fd, rawCString(name), flags), "remove", name)
  try {
    remove()
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return
    if (!hasErrno(error, "EACCES")) throw error
    // the directory itself forbids changes: it is ours to empty
    check(libc.fchmod(fd, 0o700), "chmod")
    remove()
  }
}
