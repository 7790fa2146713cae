import { ptr } from "bun:ffi"
import { AT_FDCWD, check, cString, libc, O_CLOEXEC } from "../libc.ts"

const SYS_OPEN_TREE = 428 // the same on every architecture
const OPEN_TREE_CLONE = 1
const AT_RECURSIVE = 0x8000

/**
 * A copy of the mount at `path` and of all below it that lies nowhere (open_tree(2), Linux 5.2): only who holds the descriptor, as
 * by O_PATH, sees it, and it is gone when that is closed, or its process killed. Throws SystemError. The caller closes it.
 */
export function cloneMounts(path: string): number {
  const name = cString(path)
  const flags = OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC
  return check(Number(libc.syscall(SYS_OPEN_TREE, AT_FDCWD, ptr(name), flags, 0, 0)), "open_tree", path)
}
