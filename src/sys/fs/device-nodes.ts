import { setMode } from "./attributes.ts"
import { check, close, cString, libc, O_CLOEXEC, O_NOFOLLOW } from "../libc.ts"

const S_IFCHR = 0o020000
const S_IFREG = 0o100000
const O_RDWR = 2
const ANYBODY = 0o666

/** Linux's numbers, for good (Documentation/admin-guide/devices.txt). */
const NODES = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9] } as const

/**
 * Makes the devices that each program expects in the open directory. Where no nodes may be made, or used, there is a plain file
 * `null` alone, so that what is thrown away has a place to go.
 */
export function makeDevices(directory: number): void {
  for (const [name, [major, minor]] of Object.entries(NODES)) {
    const made = libc.mknodat(directory, cString(name), S_IFCHR | ANYBODY, (major << 8) | minor) === 0
    if (made && openToAll(directory, name)) continue
    if (made) check(libc.unlinkat(directory, cString(name), 0), "unlink", name)
    if (name !== "null") continue
    check(libc.mknodat(directory, cString(name), S_IFREG | ANYBODY, 0), "create", name)
    openToAll(directory, name)
  }
  check(libc.mkdirat(directory, cString("shm"), 0o777), "mkdir", "shm")
  const shm = check(libc.openat(directory, cString("shm"), O_NOFOLLOW | O_CLOEXEC, 0), "open", "shm")
  setMode(shm, 0o1777)
  close(shm)
}

/** Frees the mode from our umask. False on a file system mounted `nodev`. */
function openToAll(directory: number, name: string): boolean {
  const fd = libc.openat(directory, cString(name), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0)
  if (fd < 0) return false
  setMode(fd, ANYBODY)
  close(fd)
  return true
}
