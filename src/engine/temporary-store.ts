import { constants, fstatSync, mkdtempSync, openSync, readdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { hasErrno } from "../base/errors.ts"
import type { TemporaryStore } from "../scan/deps.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { tryLock, unlockAndClose } from "../sys/libc.ts"
import { removeWhenKilled } from "../sys/process/remove-when-killed.ts"
import type { Engine, EngineOptions } from "./engine.ts"

const PREFIX = "skiff-scan-"
/** One that nobody locks and that is still empty may be another process's that was made just now. */
const MAX_EMPTY_MS = 60_000

/**
 * A store that goes with its disposal, for what is looked at and not kept. On the disk where temporary files may be large
 * (file-hierarchy(7)). When this process is killed a child removes it; what is left all the same, as that was killed as well, goes when the
 * next store is opened: who uses one holds a lock on its directory.
 */
export async function openTemporaryStore<E extends Engine>(
  open: (paths: Pick<EngineOptions, "root" | "runRoot">) => E,
  snapshots: (engine: E) => Promise<Snapshotter>,
): Promise<TemporaryStore> {
  const parent = process.env.TMPDIR || "/var/tmp"
  await removeLeft(parent)
  const directory = mkdtempSync(join(parent, PREFIX))
  const lock = openDirectory(directory)
  tryLock(lock)
  const guard = removeWhenKilled(directory)
  const engine = open({ root: join(directory, "root"), runRoot: join(directory, "run") })
  return {
    images: () => engine.images(),
    snapshots: () => snapshots(engine),
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      await removeTree(directory)
      guard[Symbol.dispose]()
      unlockAndClose(lock)
    },
  }
}

/** Stores of this user's processes that have ended without removing them. The directory above is everybody's: no link is followed. */
async function removeLeft(parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(PREFIX))) {
    const path = join(parent, name)
    let fd: number
    try {
      fd = openDirectory(path)
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) continue
      throw error
    }
    try {
      const { uid, mtimeMs } = fstatSync(fd)
      if (uid !== process.geteuid?.() || !tryLock(fd)) continue
      if (readdirSync(path).length > 0) await removeTree(path)
      else if (Date.now() - mtimeMs > MAX_EMPTY_MS) rmdirSync(path)
    } finally {
      unlockAndClose(fd)
    }
  }
}

function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}
