/** Extended attributes by descriptor or host path, values as bytes. Nothing follows a link in the last name. */
import { check, cString, lastErrno, libc, SystemError } from "../libc.ts"

const MAX_VALUE_BYTES = 65_536 // XATTR_SIZE_MAX
const MAX_LIST_BYTES = 65_536 // XATTR_LIST_MAX
const ENODATA = 61
const EOPNOTSUPP = 95
const buffer = Buffer.alloc(MAX_VALUE_BYTES)
const list = Buffer.alloc(MAX_LIST_BYTES)

/**
 * The host path of a name inside an open directory: `/proc/self/fd/…` is that very directory wherever it lies. For calls that
 * have no `*at` form; the last name is not followed by the `l…xattr` calls.
 */
export function pathAt(directoryFd: number, name: string): Uint8Array {
  return cString(Buffer.from(`/proc/self/fd/${directoryFd}/${name}`, "latin1"))
}

/** A host path, whose last name is not followed, or what is open (not by O_PATH). */
export type Attributed = string | Uint8Array | number

/** lgetxattr(2), fgetxattr(2); undefined when it has none of that name. */
export function getAttribute(of: Attributed, name: string): Buffer | undefined {
  const length =
    typeof of === "number"
      ? libc.fgetxattr(of, cString(name), buffer, MAX_VALUE_BYTES)
      : libc.lgetxattr(typeof of === "string" ? cString(of) : of, cString(name), buffer, MAX_VALUE_BYTES)
  if (length >= 0) return Buffer.from(buffer.subarray(0, Number(length)))
  const errno = lastErrno()
  if (errno === ENODATA || errno === EOPNOTSUPP) return undefined
  throw new SystemError("lgetxattr", errno, name)
}

/** llistxattr(2), flistxattr(2): names; none where the file system has no attributes. */
export function listAttributes(of: Attributed): string[] {
  const length =
    typeof of === "number"
      ? libc.flistxattr(of, list, MAX_LIST_BYTES)
      : libc.llistxattr(typeof of === "string" ? cString(of) : of, list, MAX_LIST_BYTES)
  if (length >= 0)
    return list
      .toString("latin1", 0, Number(length))
      .split("\0")
      .filter((name) => name !== "")
  const errno = lastErrno()
  if (errno === EOPNOTSUPP) return []
  throw new SystemError("llistxattr", errno, "")
}

/** lsetxattr(2). Throws SystemError. */
export function setAttribute(path: string | Uint8Array, name: string, value: Uint8Array): void {
  const cPath = typeof path === "string" ? cString(path) : path
  check(libc.lsetxattr(cPath, cString(Buffer.from(name, "latin1")), value, value.length, 0), "lsetxattr", name)
}

/** fsetxattr(2): of what is open (not by O_PATH). Throws SystemError. */
export function setAttributeOf(fd: number, name: string, value: Uint8Array): void {
  check(libc.fsetxattr(fd, cString(Buffer.from(name, "latin1")), value, value.length, 0), "fsetxattr", name)
}
