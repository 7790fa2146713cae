/** Owner, mode and times of one file of a hostile tree, by descriptor, or by directory and raw name, never following. */
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  check,
  close,
  cString,
  lastErrno,
  libc,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
} from "../libc.ts"
import { checkNamed, rawCString } from "./raw-name.ts"
import { recordOwner, recordsOwners } from "./recorded-owner.ts"
import { pathAt } from "./xattr.ts"

const EINVAL = 22

/** Since 1970, whole: a float would be off by some 100 ns. */
export interface Time {
  seconds: bigint
  nanoseconds: number
}

/** Where that cannot be for want of ids, it is recorded (recorded-owner.ts). */
export function setOwnerAt(directoryFd: number, name: string, uid: number, gid: number): void {
  const result = libc.fchownat(directoryFd, rawCString(name), uid, gid, AT_SYMLINK_NOFOLLOW)
  if (result < 0 && lastErrno() === EINVAL && recordsOwners()) recordOwner(pathAt(directoryFd, name), uid, gid)
  else checkNamed(result, "chown", name)
}

/** The same of what is open, and not by O_PATH. */
export function setOwner(fd: number, uid: number, gid: number): void {
  const result = libc.fchown(fd, uid, gid)
  if (result < 0 && lastErrno() === EINVAL && recordsOwners()) recordOwner(fd, uid, gid)
  else check(result, "fchown", `to ${uid}:${gid}`)
}

/** fchmod(2). Throws SystemError. */
export function setMode(fd: number, mode: number): void {
  check(libc.fchmod(fd, mode), "fchmod")
}

/** Of what the name is now: a link put in its place is not followed. */
export function setModeAt(directoryFd: number, name: string, mode: number): void {
  const fd = checkNamed(libc.openat(directoryFd, rawCString(name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0), "open", name)
  try {
    // fchmod(2) takes no O_PATH descriptor; its magic link is that very file
    checkNamed(libc.fchmodat(AT_FDCWD, cString(`/proc/self/fd/${fd}`), mode, 0), "chmod", name)
  } finally {
    close(fd)
  }
}

const times = new BigInt64Array(4) // two struct timespec: access, modification

/** Both times, as docker sets them: an image carries no access times. */
export function setTimes(fd: number, time: Time): void {
  fillTimes(time)
  check(libc.futimens(fd, times), "futimens")
}

/** Sets both times of a name, of a link itself. Throws SystemError. */
export function setTimesAt(directoryFd: number, name: string, time: Time): void {
  fillTimes(time)
  const result = libc.utimensat(directoryFd, rawCString(name), times, AT_SYMLINK_NOFOLLOW)
  checkNamed(result, "utimensat", name)
}

function fillTimes({ seconds, nanoseconds }: Time): void {
  times[0] = times[2] = seconds
  times[1] = times[3] = BigInt(nanoseconds)
}
