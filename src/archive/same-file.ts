import { readSync } from "node:fs"
import type { FileStat } from "../sys/fs/directory.ts"
import { check, close, lastErrno, libc, O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK, SystemError } from "../sys/libc.ts"
import { checkNamed, rawCString } from "../sys/fs/raw-name.ts"
import { getAttribute, listAttributes, pathAt } from "../sys/fs/xattr.ts"

/**
 * Whether what both directories have under `name` is one and the same, as far as a layer tells (continuity's `sameFile`, which
 * buildkit follows): a directory by owner and mode; others also by size, time and, where the times were cut to seconds by
 * an archive or may stand for two changes, by content.
 */
export function isSameFile(
  directory: number,
  baseDirectory: number,
  name: string,
  stat: FileStat,
  before: FileStat,
  tree: ComparedTree,
): boolean {
  if (stat.identity === before.identity) return true
  if (stat.type !== before.type || stat.mode !== before.mode || stat.uid !== before.uid || stat.gid !== before.gid)
    return false
  if (stat.type === "directory") return true
  if (stat.device.major !== before.device.major || stat.device.minor !== before.device.minor) return false
  // a second name was given to it (an upper has it copied up for that alone): the layer must hold both to link them
  if (stat.links > (tree.isWhole ? before.links : 1) || stat.sizeBytes !== before.sizeBytes) return false
  if (stat.mtime.seconds !== before.mtime.seconds || stat.mtime.nanoseconds !== before.mtime.nanoseconds) return false
  if (!hasSameAttributes(pathAt(directory, name), pathAt(baseDirectory, name))) return false
  return !isAmbiguous(stat, tree) || isSameContent(directory, baseDirectory, name, stat)
}

/** What is known of the changed tree, so that less has to be compared. */
export interface ComparedTree {
  /** It is no upper, but all that there is. */
  isWhole: boolean
  /** When it was made, in nanoseconds since 1970; undefined: not known. */
  madeAt: bigint | undefined
}

/** A tick of the kernel's coarse clock, which files get their times by, has 10 ms at most. */
const TICK_NS = 20_000_000n

/** git's racy index: what was written in the tick in which the tree was made may have been written again in it. */
function isAmbiguous({ mtime }: FileStat, { madeAt }: ComparedTree): boolean {
  if (mtime.nanoseconds === 0) return true
  return madeAt !== undefined && mtime.seconds * 1_000_000_000n + BigInt(mtime.nanoseconds) >= madeAt - TICK_NS
}

/** Whether two files of one size, or two links, hold the same. */
export function isSameContent(directory: number, baseDirectory: number, name: string, stat: FileStat): boolean {
  if (stat.type === "symlink") return readLinkAt(directory, name) === readLinkAt(baseDirectory, name)
  if (stat.type !== "file" || stat.sizeBytes === 0) return true
  using fds = new DisposableStack()
  const [a, b] = [directory, baseDirectory].map((fd) => fds.adopt(openFileAt(fd, name), close))
  if (a === undefined || b === undefined) return false
  for (let at = 0; at < stat.sizeBytes;) {
    const count = readSync(a, chunks[0], 0, CHUNK_BYTES, at)
    if (readSync(b, chunks[1], 0, CHUNK_BYTES, at) !== count || count === 0) return count === 0
    if (chunks[0].compare(chunks[1], 0, count, 0, count) !== 0) return false
    at += count
  }
  return true
}

const CHUNK_BYTES = 64 * 1024
const chunks = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)] as const

function hasSameAttributes(path: Uint8Array, basePath: Uint8Array): boolean {
  return attributesText(path) === attributesText(basePath)
}

function attributesText(path: Uint8Array): string {
  const names = listAttributes(path).filter(isLayerAttribute).toSorted()
  return JSON.stringify(names.map((name) => [name, getAttribute(path, name)?.toString("latin1")]))
}

/**
 * Attributes that a layer carries: what a user could set, capabilities of files, ACLs. Not overlay's own, nor labels and
 * signatures of the host's policy.
 */
export function isLayerAttribute(name: string): boolean {
  if (name.startsWith("user.")) return !/^user\.(overlay|fuseoverlayfs|skiff)\./.test(name)
  return name === "security.capability" || name.startsWith("system.posix_acl_")
}

/** Opens a regular file for reading; what has become a FIFO meanwhile does not block. The caller closes it. */
export function openFileAt(directory: number, name: string): number {
  return checkNamed(libc.openat(directory, rawCString(name), O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0), "open", name)
}

const linkText = Buffer.alloc(4096)

/** The target of a symbolic link, raw. */
export function readLinkAt(directory: number, name: string): string {
  const length = checkNamed(libc.readlinkat(directory, rawCString(name), linkText, linkText.length), "readlink", name)
  return linkText.toString("latin1", 0, length)
}

const MAX_ATTRIBUTE_BYTES = 65_536
const list = Buffer.alloc(MAX_ATTRIBUTE_BYTES)
const value = Buffer.alloc(MAX_ATTRIBUTE_BYTES)
const NONE: ReadonlyMap<string, Buffer> = new Map()
const EOPNOTSUPP = 95
const ENODATA = 61

/** The attributes of an open file or directory that `wanted` takes. */
export function attributesOf(fd: number, wanted: (name: string) => boolean): ReadonlyMap<string, Buffer> {
  const length = Number(libc.flistxattr(fd, list, list.length))
  if (length === 0) return NONE
  if (length < 0) {
    const errno = lastErrno()
    if (errno === EOPNOTSUPP) return NONE
    throw new SystemError("flistxattr", errno, "")
  }
  const found = new Map<string, Buffer>()
  for (const name of list.toString("latin1", 0, length).split("\0")) {
    if (name === "" || !wanted(name)) continue
    const bytes = libc.fgetxattr(fd, Buffer.from(`${name}\0`, "latin1"), value, value.length)
    if (bytes < 0 && lastErrno() === ENODATA) continue // it has just gone
    found.set(name, Buffer.from(value.subarray(0, check(bytes, "fgetxattr", name))))
  }
  return found
}
