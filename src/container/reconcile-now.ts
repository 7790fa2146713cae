import { NotFound } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import type { ContainerDeps } from "./deps.ts"
import { reconcile } from "./reconcile.ts"
import type { ContainerRecord } from "./record.ts"

/** Reconciles a container under its lock; the lock file of one that is gone goes too. Undefined when it is gone. */
export async function reconcileNow(
  deps: ContainerDeps,
  id: string,
  abort?: AbortSignal,
): Promise<ContainerRecord | undefined> {
  // without a row there is nothing to lock: an exit command that comes late makes no new lock file
  if (!deps.records.byId(id)) return undefined
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (!record) lock.unlink()
  return record
}

/** The record in line with the kernel; the caller holds the lock. Throws NotFound when the container has just gone. */
export async function reconciled(deps: ContainerDeps, id: string, lock: HeldLock): Promise<ContainerRecord> {
  const record = await reconcile(deps, id)
  if (record) return record
  lock.unlink()
  throw new NotFound(`no such container: "${shortId(id)}"`, { hint: "it was just removed" })
}
