import { openRoot } from "../../sys/fs/confined.ts"
import { readDirectory, statAt } from "../../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../../sys/libc.ts"
import { rawCString } from "../../sys/fs/raw-name.ts"
import type { ContextSize } from "../build.ts"
import type { IgnoreMatcher } from "../../dockerfile/ignore-file.ts"

/** What the files of a context weigh, with and without those that the ignore file leaves out. Follows no link. */
export function contextSize(path: string, ignore: IgnoreMatcher | undefined): ContextSize {
  const size = { bytes: 0, allBytes: 0 }
  const walk = (fd: number, directory: string, isOut: boolean): void => {
    for (const { name, isDirectory } of readDirectory(fd)) {
      const full = `${directory}${Buffer.from(name, "latin1").toString("utf8")}`
      const leavesOut = ignore?.excludes(full) ?? false
      if (isDirectory) {
        const child = libc.openat(fd, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        if (child < 0) continue
        try {
          walk(child, `${full}/`, isOut || (leavesOut && ignore?.mayHoldIncluded(full) === false))
        } finally {
          close(child)
        }
        continue
      }
      const stat = statAt(fd, name)
      if (stat?.type !== "file") continue
      size.allBytes += stat.sizeBytes
      if (!isOut && !leavesOut) size.bytes += stat.sizeBytes
    }
  }
  const root = openRoot(path)
  try {
    const fd = libc.openat(root, rawCString("."), O_DIRECTORY | O_CLOEXEC, 0)
    try {
      walk(fd, "", false)
    } finally {
      close(fd)
    }
  } finally {
    close(root)
  }
  return size
}
