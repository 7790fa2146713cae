import { log } from "../base/log.ts"
import type { FileLocks, HeldLock } from "../sys/fs/file-locks.ts"

/** After this time of waiting it is said what is waited for. */
const SILENT_MS = 1_000

/** Makes verbs that change one project take turns: held until disposed, or this process dies. Throws Cancelled. */
export async function lockProject(locks: FileLocks, name: string, signal?: AbortSignal): Promise<HeldLock> {
  const held = locks.tryAcquire(name)
  if (held) return held
  const timer = setTimeout(
    () => log.warn(`project "${name}" is being changed by another compose: waiting for it to finish`),
    SILENT_MS,
  )
  try {
    return await locks.acquire(name, { waitMs: Infinity, signal })
  } finally {
    clearTimeout(timer)
  }
}
