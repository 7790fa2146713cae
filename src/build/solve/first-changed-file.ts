import { isSameContent } from "../../archive/archive.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { readDirectory, statAt, type FileStat } from "../../sys/fs/directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../../sys/fs/raw-name.ts"

/**
 * The first file in which two trees differ, whatever their times, as people write it; undefined when there is none, or none
 * was found within `budgetMs`: this is for a message. Both trees are hostile: nothing is followed.
 */
export function firstChangedFile(path: string, earlierPath: string, budgetMs: number): string | undefined {
  using roots = new DisposableStack()
  const [now, before] = [path, earlierPath].map((each) => roots.adopt(openRoot(each), close))
  if (now === undefined || before === undefined) return undefined
  const found = firstIn(now, before, ".", "/", performance.now() + budgetMs)
  return found && shownName(found)
}

function firstIn(
  nowRoot: number,
  beforeRoot: number,
  directory: string,
  path: string,
  deadline: number,
): string | undefined {
  using fds = new DisposableStack()
  const now = fds.adopt(openDirectory(nowRoot, directory), close)
  const before = fds.adopt(openDirectory(beforeRoot, directory), close)
  const names = new Set([...readDirectory(now), ...readDirectory(before)].map(({ name }) => name))
  for (const name of [...names].toSorted()) {
    if (performance.now() > deadline) return undefined
    const [a, b] = [statAt(now, name), statAt(before, name)]
    if (a === undefined || b === undefined || !isSame(now, before, name, a, b)) return `${path}${name}`
    const inner = a.type === "directory" ? firstIn(now, before, name, `${path}${name}/`, deadline) : undefined
    if (inner !== undefined) return inner
  }
  return undefined
}

function openDirectory(parent: number, name: string): number {
  return checkNamed(libc.openat(parent, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), "open", name)
}

function isSame(directory: number, baseDirectory: number, name: string, a: FileStat, b: FileStat): boolean {
  if (a.type !== b.type || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false
  return a.type === "directory" || (a.sizeBytes === b.sizeBytes && isSameContent(directory, baseDirectory, name, a))
}
