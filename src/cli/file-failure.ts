import { hasErrno } from "../base/errors.ts"

/** Why a file could not be read, in words, without the name of the system call. */
export function fileFailure(error: unknown): string {
  if (hasErrno(error, "ENOENT")) return "no such file or directory"
  if (hasErrno(error, "EACCES", "EPERM")) return "permission denied"
  if (hasErrno(error, "EISDIR")) return "it is a directory"
  return error instanceof Error ? error.message : String(error)
}
