import { openRoot, tryOpenBeneath } from "../sys/fs/confined.ts"
import { statOf, type FileStat } from "../sys/fs/directory.ts"
import { close } from "../sys/libc.ts"
import type { OwnFiles } from "./snapshot.ts"

/**
 * What a snapshot holds itself. `parent` is the directory of the one below it where both are whole copies: what they have in common
 * is not its own.
 */
export function openOwnFiles(directory: string, parent: string | undefined): OwnFiles {
  using fds = new DisposableStack()
  const own = fds.adopt(openRoot(directory), close)
  const below = parent === undefined ? undefined : fds.adopt(openRoot(parent), close)
  const opened = fds.move()
  return {
    has(path) {
      const stat = statBeneath(own, path)
      if (stat === undefined) return false
      const before = below === undefined ? undefined : statBeneath(below, path)
      return before === undefined || !isSameState(stat, before)
    },
    [Symbol.dispose]: () => opened.dispose(),
  }
}

function statBeneath(root: number, path: string): FileStat | undefined {
  const fd = tryOpenBeneath(root, path)
  if (fd === undefined) return undefined
  try {
    return statOf(fd)
  } finally {
    close(fd)
  }
}

function isSameState(a: FileStat, b: FileStat): boolean {
  return (
    a.type === b.type &&
    a.sizeBytes === b.sizeBytes &&
    a.mtime.seconds === b.mtime.seconds &&
    a.mtime.nanoseconds === b.mtime.nanoseconds
  )
}
