/**
 * What killed processes left. Every command that reads containers notices what is out of line (a row against the kernel,
 * a lock file without a row) at the cost of a look into /proc; here it is repaired. Who is at work on a container holds its
 * lock, and is left alone.
 */
import { rmSync } from "node:fs"
import { throwIfAborted } from "../base/cancel.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { shortId } from "../base/short-id.ts"
import type { ContainerDeps } from "./deps.ts"
import { isContainerId } from "./id.ts"
import { stateDirectory } from "./paths.ts"
import { reconcile } from "./reconcile.ts"
import { findSuspects, isFreshExit } from "./suspects.ts"
import { removeRunDirectory, unmountRunDirectory } from "./teardown.ts"

/** Repairs each of `ids` that nobody is at work on. One that cannot be repaired keeps no other from it. */
export async function repair(deps: ContainerDeps, ids: Iterable<string>, abort?: AbortSignal): Promise<void> {
  for (const id of ids) {
    throwIfAborted(abort, "the repairing of containers")
    try {
      await repairOne(deps, id)
    } catch (error) {
      log.warn(
        `cannot clean up container "${deps.records.byId(id)?.name ?? shortId(id)}"; the next command tries again`,
        { reason: String(error) },
      )
    }
  }
}

async function repairOne(deps: ContainerDeps, id: string): Promise<void> {
  using lock = deps.locks.tryAcquire(id)
  if (!lock) return
  if (!deps.records.byId(id)) await removeUnknown(deps, id)
  const record = await reconcile(deps, id)
  if (!record) return lock.unlink()
  // its sleeper was killed
  if (record.status === "restarting") deps.supervise()
}

/** All that can have been made of an id whose row is not there (yet, when its maker was killed; or any more). */
async function removeUnknown(deps: ContainerDeps, id: string): Promise<void> {
  unmountRunDirectory(deps, id)
  removeRunDirectory(deps, id, { keepExitFile: isFreshExit(deps, id) })
  const snapshots = await deps.snapshots()
  await snapshots.remove(id)
  rmSync(stateDirectory(deps, id), { recursive: true, force: true })
}

/**
 * Everything: rows, run directories, addresses, ports and their rules. Commands repair what they see; this is for when what they
 * do not look at is out of line (engine/open.ts: the rules were flushed).
 */
export async function repairAll(deps: ContainerDeps): Promise<void> {
  const { records, runRoot, root } = deps
  const known = records.ids()
  const onDisk = [`${runRoot}/containers`, `${root}/containers`]
    .flatMap(namesIn)
    .filter((name) => isContainerId(name) && !known.has(name))
  await repair(deps, new Set([...findSuspects(deps), ...onDisk]))
  const networks = await deps.networks()
  // read after the repairing; a container that starts meanwhile is in the records before it has an address
  await networks.sweep(new Set(records.listUnreconciled().map(({ id }) => id)))
}
