import { closeSync, openSync } from "node:fs"
import { ptr } from "bun:ffi"
import { libc } from "../libc.ts"

const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_TOPDIR_FL = 0x00020000

/**
 * Asks ext4 to give each directory made in `path` a block group of its own, as `chattr +T` does. Where many files were deleted
 * in the last minutes, ext4 takes 0.5 ms to make one beside them; a pull of 200 MB took 3.4 s instead of 1.1.
 * A hint only: other file systems do not know it, and nothing depends on it.
 */
export function spreadSubdirectories(path: string): void {
  const fd = openSync(path, "r")
  try {
    const flags = new BigInt64Array(1)
    if (libc.ioctl(fd, FS_IOC_GETFLAGS, ptr(flags)) < 0) return
    flags[0] = (flags[0] ?? 0n) | BigInt(FS_TOPDIR_FL)
    libc.ioctl(fd, FS_IOC_SETFLAGS, ptr(flags))
  } finally {
    closeSync(fd)
  }
}
