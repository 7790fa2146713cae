import { lstatSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"

const KERNEL_DIRECTORIES = ["dev", "proc", "sys"]

/**
 * Refuses a root whose /dev, /proc or /sys is anything but a directory. runc 1.1.5 makes `/dev/fd`, `/dev/ptmx` … by path:
 * with a link at /dev they appear in the directory of the host that it names (class of CVE-2025-52565; verified). Nothing
 * else is in the root yet, so nothing can change it between this look and the mount. Throws InvalidArgument.
 */
export function checkRootfs(rootfs: string): void {
  for (const name of KERNEL_DIRECTORIES) {
    let isDirectory
    try {
      isDirectory = lstatSync(join(rootfs, name)).isDirectory()
    } catch (error) {
      if (hasErrno(error, "ENOENT")) continue // the runtime makes it
      throw error
    }
    if (!isDirectory)
      throw new InvalidArgument(`"/${name}" of the container is not a directory`, {
        hint: "the image is broken or hostile: look at it without running it",
      })
  }
}
