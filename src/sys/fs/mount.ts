import { readFileSync } from "node:fs"
import { hasErrno, Unavailable } from "../../base/errors.ts"
import { ptr } from "bun:ffi"
import { AT_SYMLINK_NOFOLLOW, AT_FDCWD, check, cString, lastErrno, libc, SystemError } from "../libc.ts"

/** mount(2) flags (sys/mount.h). */
export const MountFlag = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const

/** A mount that somebody asks for; pure data. */
export interface Mount {
  type: string
  source: string
  /** Flag names and data, as mount(8)'s `-o` writes them, e.g. `["lowerdir=a:b", "upperdir=c"]`. */
  data: readonly string[]
  flags?: number
  /** Absolute directory that relative names in `data` start from; the kernel takes at most 4,095 bytes of data. */
  workingDirectory?: string
  /** A program that mounts in the kernel's place (fuse-overlayfs): it gets `-o DATA TARGET`. */
  helper?: readonly string[]
}

const BIND_FLAGS = MountFlag.readOnly | MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec
// one page with its NUL: the kernel cuts longer ones short without a word
const MAX_DATA_BYTES = 4096
const E2BIG_ERRNO = 7
const EINVAL_ERRNO = 22
const EPERM_ERRNO = 1
const ENOENT_ERRNO = 2
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8

/** Mounts `mount` on the existing directory or file `target` (an absolute path). Throws SystemError, or Unavailable by a helper. */
export function mountAt(target: string, mount: Mount): void {
  if (mount.helper !== undefined) return mountByHelper(target, mount, mount.helper)
  if (mount.workingDirectory === undefined) callMount(target, mount, mount.flags ?? 0)
  else inDirectory(mount.workingDirectory, () => callMount(target, mount, mount.flags ?? 0))
  // mount(2): a bind takes no other flag at first, they come by a remount
  if ((mount.flags ?? 0) & MountFlag.bind && (mount.flags ?? 0) & BIND_FLAGS) remountBind(target, mount)
}

/** Where something is mounted in the namespace of a process, as it sees it (proc_pid_mountinfo(5)). Throws errno errors. */
export function mountPointsOf(pid: number): Set<string> {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n")
  return new Set(lines.map((line) => unescapeOctal(line.split(" ")[4] ?? "")))
}

/**
 * `mountAt`; gives where it is seen. A bind where nothing may be mounted is seen at its source, for reading and writing.
 * Throws as mountAt.
 */
export function mountOrFind(target: string, mount: Mount): string {
  try {
    mountAt(target, mount)
    return target
  } catch (error) {
    const isBind = ((mount.flags ?? 0) & MountFlag.bind) !== 0
    // capabilities(7), CAP_SYS_ADMIN; AppArmor says EACCES
    if (!isBind || !hasErrno(error, "EPERM", "EACCES") || isMountPoint(target)) throw error
    return mount.source
  }
}

/** Runs `body` with another working directory. No other thread sees it: this one stops to share its own (unshare(2)). */
function inDirectory(directory: string, body: () => void): void {
  if (!ownsWorkingDirectory) check(libc.unshare(CLONE_FS), "unshare", "the working directory")
  ownsWorkingDirectory = true
  const back = process.cwd()
  check(libc.chdir(cString(directory)), "chdir", directory)
  try {
    body()
  } finally {
    libc.chdir(cString(back))
  }
}

const CLONE_FS = 0x200
let ownsWorkingDirectory = false

function callMount(target: string, mount: Mount, flags: number): void {
  const data = mount.data.length === 0 ? null : cString(mount.data.join(","))
  if (data !== null && data.length > MAX_DATA_BYTES)
    throw new SystemError("mount", E2BIG_ERRNO, `${mount.type} on ${target}: ${data.length} bytes of options`)
  const result = libc.mount(cString(mount.source), cString(target), cString(mount.type), flags, data)
  check(result, "mount", `${mount.type} on ${target}`)
}

function remountBind(target: string, mount: Mount): void {
  const flags = (mount.flags ?? 0) | MountFlag.remount
  try {
    callMount(target, mount, flags)
  } catch (error) {
    if (!hasErrno(error, "EPERM")) throw error
    // mount_namespaces(7): in a user namespace the restrictions that the source has must be kept
    callMount(target, mount, flags | MountFlag.noSuid | MountFlag.noDev)
  }
}

/**
 * Adds restrictions to the mount at `target` and all below it; those that it has stay (mount_setattr(2), Linux 5.12). Of an
 * older kernel the mount itself alone.
 */
export function restrictMount(target: string, flags: number): void {
  if (flags === 0) return
  // MOUNT_ATTR_RDONLY, _NOSUID, _NODEV and _NOEXEC have the numbers of their mount(2) flags
  const attributes = new BigUint64Array([BigInt(flags & BIND_FLAGS), 0n, 0n, 0n]) // struct mount_attr: attr_set first
  const path = cString(target)
  const result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, ptr(path), AT_RECURSIVE, ptr(attributes), 32)
  if (result === 0) return
  const errno = lastErrno()
  if (errno !== ENOSYS_ERRNO) throw new SystemError("mount_setattr", errno, target)
  remountBind(target, { type: "none", source: "none", data: [], flags: flags | MountFlag.bind })
}

/** Whether the kernel restricts a mount with all below it at once (mount_setattr(2), Linux 5.12). */
export function canRestrictAll(): boolean {
  // no such path: only a kernel without the call says so
  const path = cString("")
  const attributes = new BigUint64Array(4)
  return libc.syscall(SYS_MOUNT_SETATTR, -1, ptr(path), 0, ptr(attributes), 32) === 0 || lastErrno() !== ENOSYS_ERRNO
}

/**
 * Takes the mount at `target`, and all below it, out of what they share with others (mount_namespaces(7)): where `/` is shared, as systemd
 * has it, a copy of a directory with the mounts below it would take those of the host away with it when it is unmounted, and a copy
 * of it would lose what is unmounted here. What is no mount point stays as it is. `follow`: a link in the last name, as
 * /proc/self/fd/N is one.
 */
export function makePrivate(target: string, { follow = false }: { follow?: boolean } = {}): void {
  const attributes = new BigUint64Array([0n, 0n, BigInt(MountFlag.private), 0n]) // struct mount_attr: propagation comes third
  const path = cString(target)
  const flags = AT_RECURSIVE | (follow ? 0 : AT_SYMLINK_NOFOLLOW)
  const result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, ptr(path), flags, ptr(attributes), 32)
  if (result === 0 || lastErrno() !== ENOSYS_ERRNO) return
  // Linux before 5.12; what has gone wrong is seen by what comes next
  libc.mount(path, path, path, MountFlag.recursive | MountFlag.private, path)
}

const SYS_MOUNT_SETATTR = 442
const AT_RECURSIVE = 0x8000
const ENOSYS_ERRNO = 38

function mountByHelper(target: string, mount: Mount, helper: readonly string[]): void {
  const result = Bun.spawnSync([...helper, "-o", mount.data.join(","), target], {
    cwd: mount.workingDirectory,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  if (result.exitCode !== 0)
    throw new Unavailable(`${helper[0]} could not mount ${target}: ${result.stderr.toString().trim()}`, {
      hint: { do: "diagnose" },
    })
}

/**
 * Unmounts `target`, lazily: what still uses it keeps it until done. False when nothing was mounted there.
 * The last name of the path is not followed.
 */
export function unmount(target: string): boolean {
  // lazily means: with all below it, and those of the host that it is a copy of
  makePrivate(target)
  const result = libc.umount2(cString(target), MNT_DETACH | UMOUNT_NOFOLLOW)
  if (result === 0) return true
  const errno = lastErrno()
  if (errno === EINVAL_ERRNO || errno === ENOENT_ERRNO) return false
  // who may not mount hears nothing else, whatever is there
  if (errno === EPERM_ERRNO && !isMountPoint(target)) return false
  throw new SystemError("umount", errno, target)
}

/** Takes away all that is mounted at `target`, one over the other. False when nothing was. Safe to repeat. */
export function unmountAll(target: string): boolean {
  let wasMounted = false
  while (unmount(target)) wasMounted = true
  return wasMounted
}

/** Below `directory`, the innermost first: in this order they can be unmounted. See proc_pid_mountinfo(5). */
export function mountPointsBelow(directory: string): string[] {
  return mountPoints()
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed()
}

/** Of `ro`, `nosuid`, `nodev`, `noexec`, those that hold where the real path `path` lies. */
export function restrictionsAt(path: string): string[] {
  let [found, words] = ["", ""]
  for (const line of mountLines()) {
    const point = pointOf(line)
    const isAbove = path === point || point === "/" || path.startsWith(`${point}/`)
    // of two at one place the later one is seen
    if (point !== "" && isAbove && point.length >= found.length) [found, words] = [point, line.split(" ")[5] ?? ""]
  }
  return words.split(",").filter((word) => /^(?:ro|nosuid|nodev|noexec)$/.test(word))
}

/** Whether something is mounted at the absolute path, seen from this mount namespace. */
export function isMountPoint(path: string): boolean {
  return mountPoints().includes(path)
}

/**
 * Whether a whole /proc is mounted anywhere: mount_namespaces(7), a user namespace may mount one only then. Engines cover parts
 * of it in their containers.
 */
export function hasWholeProc(): boolean {
  const lines = mountLines()
  const points = lines.map(pointOf)
  return (
    lines
      .filter((line) => line.split(" ")[3] === "/" && line.includes(" - proc "))
      .map(pointOf)
      // binfmt_misc lies there on any host, over an empty directory: that hides nothing
      .some((proc) => !points.some((path) => path.startsWith(`${proc}/`) && path !== `${proc}/sys/fs/binfmt_misc`))
  )
}

function mountPoints(): string[] {
  return mountLines().map(pointOf)
}

function mountLines(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8").split("\n")
}

function pointOf(line: string): string {
  return unescapeOctal(line.split(" ")[4] ?? "")
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
