import { readdirSync, statSync, unlinkSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { hasErrno } from "../base/errors.ts"
import { tryLock } from "../sys/libc.ts"

/** Removes ingests that nobody wrote for so long; one that is being written holds its lock. Safe to repeat. */
export async function removeStaleIngests(directory: string, olderThanMs: number): Promise<void> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || Date.now() - stat.mtimeMs < olderThanMs) continue
    try {
      await using file = await open(path, "r")
      if (tryLock(file.fd)) unlinkSync(path)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }
}
