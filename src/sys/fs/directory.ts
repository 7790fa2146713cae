/** Entries of a directory by its descriptor: nothing here follows a link. Names are raw (see raw-name.ts). */
import { check, lastErrno, libc, AT_SYMLINK_NOFOLLOW, SystemError } from "../libc.ts"
import { rawCString, shownName } from "./raw-name.ts"
import { recordedOwner, recordsOwners } from "./recorded-owner.ts"
import { pathAt } from "./xattr.ts"

/** What a name is, its links not followed. */
export type FileType = "file" | "directory" | "symlink" | "fifo" | "character" | "block" | "socket"

const TYPES: Record<number, FileType> = {
  0o010: "file",
  0o004: "directory",
  0o012: "symlink",
  0o001: "fifo",
  0o002: "character",
  0o006: "block",
  0o014: "socket",
}

/** What stat(2) says of a file. */
export interface FileStat {
  type: FileType
  /** Permission bits, set-id bits included. */
  mode: number
  uid: number
  gid: number
  links: number
  sizeBytes: number
  allocatedBytes: number
  /** `device:inode`: the same for all hard links of one file. */
  identity: string
  mtime: { seconds: bigint; nanoseconds: number }
  device: { major: number; minor: number }
  isMountRoot: boolean
}

/** Whether the file stands for one that an overlay's upper layer removed. */
export function isWhiteout({ type, device }: FileStat): boolean {
  return type === "character" && device.major === 0 && device.minor === 0
}

const ENOENT = 2
const STATX_BASIC_STATS = 0x7ff
const STATX_BTIME = 0x800
const STATX_ATTR_MOUNT_ROOT = 0x2000
const statBuffer = Buffer.alloc(256)
const emptyName = new Uint8Array(1)
const AT_EMPTY_PATH_NOFOLLOW = 0x1000 | AT_SYMLINK_NOFOLLOW

/** statx(2) of `name` in the directory, the last name not followed; undefined when there is none. */
export function statAt(directoryFd: number, name: string): FileStat | undefined {
  const result = libc.statx(directoryFd, rawCString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statBuffer)
  if (result === 0) return decodeStat(() => pathAt(directoryFd, name))
  const errno = lastErrno()
  if (errno === ENOENT) return undefined
  throw new SystemError("stat", errno, shownName(name))
}

/**
 * `statAt` as the kernel's bytes (struct statx), for those who look at very many files; undefined when there is none. They
 * are overwritten by the next stat of any kind.
 */
export function rawStatAt(directoryFd: number, name: string): Buffer | undefined {
  const result = libc.statx(directoryFd, rawCString(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statBuffer)
  if (result === 0) {
    showRecordedOwner(() => pathAt(directoryFd, name))
    return statBuffer
  }
  const errno = lastErrno()
  if (errno === ENOENT) return undefined
  throw new SystemError("stat", errno, shownName(name))
}

/** statx(2) of what is open, also by O_PATH. */
export function statOf(fd: number): FileStat {
  check(libc.statx(fd, emptyName, AT_EMPTY_PATH_NOFOLLOW, STATX_BASIC_STATS, statBuffer), "stat")
  return decodeStat(() => fd)
}

/** When what is open was made, in nanoseconds since 1970; undefined where the file system does not know. */
export function birthTimeOf(fd: number): bigint | undefined {
  check(libc.statx(fd, emptyName, AT_EMPTY_PATH_NOFOLLOW, STATX_BTIME, statBuffer), "stat")
  if ((statBuffer.readUInt32LE(0) & STATX_BTIME) === 0) return undefined
  return statBuffer.readBigInt64LE(80) * 1_000_000_000n + BigInt(statBuffer.readUInt32LE(88))
}

/** Where owners are recorded, it is those that count. */
function showRecordedOwner(file: () => number | Uint8Array): void {
  if (!recordsOwners()) return
  const owner = recordedOwner(file())
  if (owner === undefined) return
  statBuffer.writeUInt32LE(owner.uid, 20)
  statBuffer.writeUInt32LE(owner.gid, 24)
}

function decodeStat(file: () => number | Uint8Array): FileStat {
  showRecordedOwner(file)
  const b = statBuffer
  const mode = b.readUInt16LE(28)
  return {
    type: TYPES[mode >> 12] ?? "socket",
    mode: mode & 0o7777,
    uid: b.readUInt32LE(20),
    gid: b.readUInt32LE(24),
    links: b.readUInt32LE(16),
    sizeBytes: Number(b.readBigUInt64LE(40)),
    allocatedBytes: Number(b.readBigUInt64LE(48)) * 512,
    identity: `${b.readUInt32LE(136)}:${b.readUInt32LE(140)}:${b.readBigUInt64LE(32)}`,
    mtime: { seconds: b.readBigInt64LE(112), nanoseconds: b.readUInt32LE(120) },
    device: { major: b.readUInt32LE(128), minor: b.readUInt32LE(132) },
    isMountRoot: (b.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
  }
}

/** A name in a directory. */
export interface DirectoryEntry {
  name: string
  isDirectory: boolean
}

const direntBuffer = Buffer.alloc(64 * 1024)
const DT_DIRECTORY = 4
const DT_UNKNOWN = 0

/** All entries but `.` and `..`, in the file system's order. The descriptor must be open for reading. */
export function readDirectory(fd: number): DirectoryEntry[] {
  const [all = []] = directoryParts(fd, Infinity)
  return all
}

/** The same in parts of about so many entries, for directories of others, which may have any number. One part where there are fewer. */
export function* directoryParts(fd: number, partEntries: number): Generator<DirectoryEntry[], undefined> {
  let entries: DirectoryEntry[] = []
  for (;;) {
    if (entries.length >= partEntries) {
      yield entries
      entries = []
    }
    const read = libc.getdents64(fd, direntBuffer, direntBuffer.length)
    // one that somebody has removed since it was opened has no more entries
    const length = read < 0 && lastErrno() === ENOENT ? 0 : check(read, "getdents64")
    if (length === 0) break
    for (let at = 0; at < length; at += direntBuffer.readUInt16LE(at + 16)) {
      const start = at + 19
      const name = direntBuffer.toString("latin1", start, direntBuffer.indexOf(0, start))
      if (name === "." || name === "..") continue
      const type = direntBuffer[at + 18] // DT_UNKNOWN: a file system that does not tell the type here
      entries.push({
        name,
        isDirectory: type === DT_DIRECTORY || (type === DT_UNKNOWN && statAt(fd, name)?.type === "directory"),
      })
    }
  }
  if (entries.length > 0) yield entries
  return undefined
}
