import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { statOf } from "../../sys/fs/directory.ts"
import { close, O_PATH } from "../../sys/libc.ts"
import type { MountPoint } from "../container.ts"

/** A directory or file that is held open: its path leads to it, whatever is done to its name meanwhile. */
export interface OpenSubpath extends Disposable {
  path: string
  isDirectory: boolean
}

/**
 * Finds a part of a volume or an image. Its links are followed as if it were `/`: none leads out of it (CVE-2023-3676 and its like).
 * Throws FailedPrecondition where there is none.
 */
export function openSubpath(root: string, { name, source, subpath = "." }: MountPoint): OpenSubpath {
  const rootFd = openRoot(root)
  try {
    const fd = openInRoot(rootFd, subpath, O_PATH)
    const isDirectory = statOf(fd).type === "directory"
    return { path: `/proc/self/fd/${fd}`, isDirectory, [Symbol.dispose]: () => close(fd) }
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EXDEV")) throw error
    throw new FailedPrecondition(`cannot access path "${subpath}" of "${name ?? source}": no such file or directory`, {
      field: "mounts",
      hint: "a subpath must be there before it is mounted: make it",
      cause: error,
    })
  } finally {
    close(rootFd)
  }
}
