import { posix } from "node:path"
import { openRawInRoot } from "../../sys/confined.ts"
import { readDirectory, statAt, statOf } from "../../sys/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../../sys/libc.ts"
import { checkNamed, rawCString } from "../../sys/raw-name.ts"
import { sourceFilter, type SourceFilter } from "./source-filter.ts"
import type { Source } from "./worker.ts"

const OPEN_FOLDER = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC

/**
 * Whether a step would see owners of the host where there are none: in buildkit all files of a context are root's. `fd` is the
 * open file or folder `path` of `source`; stops at the first one found.
 */
export function* hasForeignOwners(fd: number, source: Source, path: string): Generator<void, boolean> {
  if (source.keepsOwners) return false
  const { type, uid, gid } = statOf(fd)
  if (uid !== 0 || gid !== 0) return true
  if (type !== "directory") return false
  const base = posix.normalize(`/${path}`).slice(1)
  const folder = openRawInRoot(fd, ".", O_DIRECTORY)
  try {
    return yield* below(folder, "", sourceFilter(source, { base, exclude: [] }))
  } finally {
    close(folder)
  }
}

function* below(fd: number, path: string, filter: SourceFilter | undefined): Generator<void, boolean> {
  for (const { name, isDirectory } of readDirectory(fd)) {
    const child = path === "" ? name : `${path}/${name}`
    const verdict = filter?.(Buffer.from(child, "latin1").toString("utf8"), isDirectory) ?? "in"
    if (verdict === "out") continue
    const stat = statAt(fd, name)
    if (stat === undefined) continue // gone meanwhile
    if (stat.uid !== 0 || stat.gid !== 0) return true
    if (!isDirectory) continue
    const folder = checkNamed(libc.openat(fd, rawCString(name), OPEN_FOLDER, 0), "open", name)
    try {
      if (yield* below(folder, child, filter)) return true
    } finally {
      close(folder)
    }
    yield
  }
  return false
}
