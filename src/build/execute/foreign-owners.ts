import { posix } from "node:path"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import { readDirectory, statAt, statOf } from "../../sys/fs/directory.ts"
import type { Owner } from "../../sys/fs/image-users.ts"
import { close, O_DIRECTORY } from "../../sys/libc.ts"
import { sourceFilter, type SourceFilter } from "./source-filter.ts"
import type { Source } from "./executor.ts"

/** Whose the files are: root's; all one other's; several owners'. */
export type Owners = "root" | Owner | "several"

/**
 * Whose files a step would see. In buildkit all files of a context are root's, whoever has them on the host. `fd` is the open
 * file or directory `path` of `source`.
 */
export function* ownersOf(fd: number, source: Source, path: string): Generator<void, Owners> {
  if (source.keepsOwners) return "root"
  const { type, uid, gid } = statOf(fd)
  const owner = { uid, gid }
  const base = posix.normalize(`/${path}`).slice(1)
  if (type === "directory" && (yield* hasOthers(fd, "", owner, sourceFilter(source, { base, exclude: [] }))))
    return "several"
  return uid === 0 && gid === 0 ? "root" : owner
}

function* hasOthers(
  parent: number,
  path: string,
  owner: Owner,
  filter: SourceFilter | undefined,
): Generator<void, boolean> {
  const fd = openRawInRoot(parent, path === "" ? "." : (path.split("/").at(-1) ?? ""), O_DIRECTORY)
  try {
    for (const { name, isDirectory } of readDirectory(fd)) {
      const child = path === "" ? name : `${path}/${name}`
      const verdict = filter?.(Buffer.from(child, "latin1").toString("utf8"), isDirectory) ?? "in"
      if (verdict === "out") continue
      const stat = statAt(fd, name)
      if (stat === undefined) continue // gone meanwhile
      if (stat.uid !== owner.uid || stat.gid !== owner.gid) return true
      if (stat.type === "directory" && (yield* hasOthers(fd, child, owner, filter))) return true
    }
    yield
    return false
  } finally {
    close(fd)
  }
}
