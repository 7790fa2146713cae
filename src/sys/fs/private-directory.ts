import { chmodSync, lstatSync, mkdirSync } from "node:fs"
import { hasErrno, PermissionDenied } from "../../base/errors.ts"

/**
 * Makes `path` a directory that only we may enter, or proves that it is one; safe to repeat. The directory above must be there.
 * Throws PermissionDenied when something else stands at that name: in `/tmp` anybody may have put it there (CVE-2014-0047).
 */
export function ensurePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
  const stat = lstatSync(path)
  const refuse = (what: string) =>
    new PermissionDenied(`"${path}" is ${what}, wanted: a directory of our own`, {
      hint: `look who made it, then remove it, or set SKIFF_RUN_ROOT to a directory of yours`,
    })
  if (stat.isSymbolicLink()) throw refuse("a symbolic link")
  if (!stat.isDirectory()) throw refuse("no directory")
  if (stat.uid !== process.getuid?.()) throw refuse(`of another user (uid ${stat.uid})`)
  // a umask or an older tool may have left it wider; as its owner we narrow it
  if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700)
}
