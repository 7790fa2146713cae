import { ptr } from "bun:ffi"
import { check, cString, lastErrno, libc, SystemError } from "./libc.ts"

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

export interface Mount {
  type: string
  source: string
  /** Flag names and data, as mount(8)'s `-o` writes them, e.g. `["lowerdir=a:b", "upperdir=c"]`. */
  data: readonly string[]
  flags?: number
  /** Absolute folder that relative names in `data` start from; the kernel takes at most 4,095 bytes of data. */
  workingDirectory?: string
}

const EINVAL_ERRNO = 22
const ENOENT_ERRNO = 2
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8

/** Mounts `mount` on the existing folder `target`. Throws SystemError. */
export function mountAt(target: string, mount: Mount): void {
  const back = mount.workingDirectory === undefined ? undefined : process.cwd()
  // threads share the working directory: nothing may be awaited between these two changes
  if (mount.workingDirectory !== undefined)
    check(libc.chdir(cString(mount.workingDirectory)), "chdir", mount.workingDirectory)
  try {
    const data = mount.data.length === 0 ? null : ptr(cString(mount.data.join(",")))
    const result = libc.mount(cString(mount.source), cString(target), cString(mount.type), mount.flags ?? 0, data)
    check(result, "mount", `${mount.type} on ${target}`)
  } finally {
    if (back !== undefined) libc.chdir(cString(back))
  }
}

/**
 * Unmounts `target`, lazily: what still uses it keeps it until done. False when nothing was mounted there.
 * The last name of the path is not followed.
 */
export function unmount(target: string): boolean {
  const result = libc.umount2(cString(target), MNT_DETACH | UMOUNT_NOFOLLOW)
  if (result === 0) return true
  const errno = lastErrno()
  if (errno === EINVAL_ERRNO || errno === ENOENT_ERRNO) return false
  throw new SystemError("umount", errno, target)
}
