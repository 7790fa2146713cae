import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { setMode, setOwner, setTimes } from "../../sys/fs/attributes.ts"
import { resolveInRoot, type RootPath } from "../../sys/fs/confined-path.ts"
import { openRawInRoot } from "../../sys/fs/confined.ts"
import type { Owner } from "../../sys/fs/image-users.ts"
import { close, libc, O_DIRECTORY, O_PATH } from "../../sys/libc.ts"
import { checkNamed, rawCString, shownName } from "../../sys/fs/raw-name.ts"

/** What a directory is like that COPY, ADD or WORKDIR makes. */
export interface NewDirectory {
  mode: number
  owner: Owner
  /** Seconds since 1970. */
  epoch?: number
}

/**
 * Makes the directory `path` (raw) inside the root, and what is missing above it; links are followed inside the root. Those
 * that are there stay as they are. Gives its path without links. Throws FailedPrecondition where a file is in the way.
 */
export function makeDirectories(rootFd: number, path: string, directory: NewDirectory): string {
  const found = resolve(rootFd, path)
  if (found.stat !== undefined && found.stat.type !== "directory") throw notADirectory(path)
  const names = found.path.split("/")
  for (let depth = names.length - found.missing; depth < names.length; depth++)
    makeOne(rootFd, names.slice(0, depth).join("/"), names[depth] ?? "", directory)
  return found.path
}

function resolve(rootFd: number, path: string): RootPath {
  try {
    return resolveInRoot(rootFd, path)
  } catch (error) {
    throw hasErrno(error, "ENOTDIR", "ELOOP") ? notADirectory(path, error) : error
  }
}

function makeOne(rootFd: number, parent: string, name: string, { mode, owner, epoch }: NewDirectory): void {
  using fds = new DisposableStack()
  const parentFd = fds.adopt(openRawInRoot(rootFd, parent, O_PATH | O_DIRECTORY), close)
  checkNamed(libc.mkdirat(parentFd, rawCString(name), 0o700), "mkdir", name)
  const fd = fds.adopt(openRawInRoot(parentFd, name, O_DIRECTORY), close)
  setOwner(fd, owner.uid, owner.gid)
  setMode(fd, mode)
  if (epoch !== undefined) setTimes(fd, { seconds: BigInt(epoch), nanoseconds: 0 })
}

function notADirectory(path: string, cause?: unknown): FailedPrecondition {
  return new FailedPrecondition(
    `cannot make the directory ${shownName(`/${path.replace(/^\/+|\/+$/g, "")}`)}: a file is in the way`,
    { cause },
  )
}
