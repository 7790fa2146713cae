import { hasErrno, isSkiffError, PermissionDenied, Unavailable } from "../../base/errors.ts"

/** What the kernel said of a file, as an error that a person can act on; any other stays as it is. */
export function fileFailure(error: unknown): unknown {
  if (isSkiffError(error)) return error
  if (hasErrno(error, "ENOSPC", "EDQUOT"))
    return new Unavailable("no space left on the disk of the store", {
      hint: { do: "freeSpace" },
      cause: error,
    })
  if (hasErrno(error, "EACCES", "EPERM"))
    return new PermissionDenied(`cannot read or create a file: ${(error as Error).message}`, {
      hint: "check its permissions, or exclude it in .dockerignore",
      cause: error,
    })
  return error
}
