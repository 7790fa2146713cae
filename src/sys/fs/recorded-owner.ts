/**
 * Owners that cannot be: where a user namespace maps one id (rootless/namespaces.ts), each file belongs to root, whatever an image
 * or `COPY --chown` says. What was said is kept in an attribute of the file, so that a layer made of it tells of the right
 * owner. Links and FIFOs can have no such attribute (xattr(7)): theirs is lost.
 */
import { lastErrno, libc, SystemError } from "../libc.ts"
import { isSingleIdMap } from "../rootless/namespaces.ts"

/** Holds `UID:GID` of a file whose owner no namespace here can give it. */
export const OWNER_ATTRIBUTE = "user.skiff.owner"

const NAME = Buffer.from(`${OWNER_ATTRIBUTE}\0`, "latin1")
const EPERM = 1
const EOPNOTSUPP = 95
const value = Buffer.alloc(32)
let isSingle: boolean | undefined

/** Whether owners are recorded here. */
export function recordsOwners(): boolean {
  return (isSingle ??= isSingleIdMap())
}

/** Keeps the owner that a file cannot have; chown(2) said EINVAL. A kind of file that takes no attribute loses it. */
export function recordOwner(file: number | Uint8Array, uid: number, gid: number): void {
  const text = Buffer.from(`${uid}:${gid}`, "latin1")
  const result =
    typeof file === "number"
      ? libc.fsetxattr(file, NAME, text, text.length, 0)
      : libc.lsetxattr(file, NAME, text, text.length, 0)
  if (result === 0) return
  const errno = lastErrno()
  if (errno !== EPERM && errno !== EOPNOTSUPP) throw new SystemError("setxattr", errno, OWNER_ATTRIBUTE)
}

/** What `recordOwner` kept of a file, by its descriptor or its path; undefined when that is nothing. */
export function recordedOwner(file: number | Uint8Array): { uid: number; gid: number } | undefined {
  const length = Number(
    typeof file === "number"
      ? libc.fgetxattr(file, NAME, value, value.length)
      : libc.lgetxattr(file, NAME, value, value.length),
  )
  const [, uid, gid] = length > 0 ? (/^(\d{1,10}):(\d{1,10})$/.exec(value.toString("latin1", 0, length)) ?? []) : []
  if (uid === undefined || gid === undefined || Math.max(Number(uid), Number(gid)) > MAX_ID) return undefined
  return { uid: Number(uid), gid: Number(gid) }
}

const MAX_ID = 2 ** 32 - 2
