/**
 * What killed processes left. Every command that reads containers notices what is out of line (a row against the kernel,
 * a lock file without a row) at the cost of a look into /proc; here it is repaired. Who is at work on a container holds its
 * lock, and is left alone.
 */
import { rmSync, statSync } from "node:fs"
import { throwIfAborted } from "../base/cancel.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import type { ContainerDeps } from "./deps.ts"
import { isContainerId } from "./id.ts"
import { isHeld, isRunning } from "./observe.ts"
import { exitFile, stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { isForgottenFrozen, reconcile } from "./reconcile.ts"
import { removeRunDirectory, unmountAll } from "./teardown.ts"

/** How long after its time a restart is held to be forgotten: its sleeper was killed. */
const OVERDUE_MS = 1000
/** After this time nobody reads an exit code any more: who waited for it was killed. */
const UNREAD_EXIT_MS = 10_000

/** Whether a record cannot stay as it is: an end nobody wrote down, an interrupted start or removal, a restart forgotten. */
export function needsReconciling(
  record: ContainerRecord,
  deps: ContainerDeps,
  running: boolean = isRunning(record, deps),
): boolean {
  const { status, live, state } = record
  if (status === "removing") return true
  if (status === "initialized") return !isHeld(record, deps)
  if (status === "restarting")
    return live || state.bootId !== deps.bootId || (state.restartAt ?? 0) + OVERDUE_MS < Date.now()
  return live && (!running || isForgottenFrozen(record) || state.updating !== undefined)
}

/** Ids of which something is left though no row knows them: a lock file, with which each begins, or an exit code unread. */
export function unknownIds(deps: ContainerDeps): string[] {
  const names = [...namesIn(`${deps.runRoot}/locks`), ...namesIn(`${deps.runRoot}/exits`)].filter(isContainerId)
  if (names.length === 0) return []
  const known = deps.records.ids()
  return names.filter((name) => !known.has(name) && !isFreshExit(deps, name))
}

/** Its reader may be on its way. */
function isFreshExit(deps: ContainerDeps, id: string): boolean {
  const stat = statSync(exitFile(deps, id), { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < UNREAD_EXIT_MS
}

/** Ids of all that is out of line. */
export function findSuspects(deps: ContainerDeps): string[] {
  const records = deps.records.listUnreconciled().filter((record) => needsReconciling(record, deps))
  return [...records.map(({ id }) => id), ...unknownIds(deps)]
}

/** Repairs each of `ids` that nobody is at work on. One that cannot be repaired keeps no other from it. */
export async function repair(deps: ContainerDeps, ids: Iterable<string>, abort?: AbortSignal): Promise<void> {
  for (const id of ids) {
    throwIfAborted(abort, "the repairing of containers")
    try {
      await repairOne(deps, id)
    } catch (error) {
      log.warn(
        `cannot clean up container "${deps.records.byId(id)?.name ?? id.slice(0, 12)}"; the next command tries again`,
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
  unmountAll(deps, id)
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
