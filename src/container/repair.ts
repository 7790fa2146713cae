/**
 * What killed processes left. Every command that reads containers notices what is out of line (a row against the kernel,
 * a lock file without a row) at the cost of a look into /proc; here it is mended. Who is at work on a container holds its
 * lock, and is left alone.
 */
import { rmSync, statSync } from "node:fs"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { spawnProcess } from "../sys/process/process.ts"
import type { ContainerHost } from "./deps.ts"
import { isContainerId } from "./id.ts"
import { isRunning } from "./observe.ts"
import { exitFile, stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { isForgottenFrozen, settle } from "./reconcile.ts"
import { removeRunDirectory, unmountRoot } from "./teardown.ts"

/** How long after its time a restart is held to be forgotten: its sleeper was killed. */
const OVERDUE_MS = 1000
/** After this time nobody reads an exit code any more: who waited for it was killed. */
const UNREAD_EXIT_MS = 10_000

/** Whether a record cannot stay as it is: an end nobody wrote down, an interrupted start or removal, a restart forgotten. */
export function needsSettling(record: ContainerRecord, host: ContainerHost): boolean {
  const { status, live, state } = record
  if (status === "removing") return true
  if (status === "restarting")
    return live || state.bootId !== host.bootId || (state.restartAt ?? 0) + OVERDUE_MS < Date.now()
  return live && (!isRunning(record, host) || isForgottenFrozen(record))
}

/** Ids of which something is left though no row knows them: a lock file, with which each begins, or an exit code unread. */
export function unknownIds(host: ContainerHost): string[] {
  const names = [...namesIn(`${host.runRoot}/locks`), ...namesIn(`${host.runRoot}/exits`)].filter(isContainerId)
  if (names.length === 0) return []
  const known = host.records.ids()
  return names.filter((name) => !known.has(name) && !isFreshExit(host, name))
}

/** Its reader may be on its way. */
function isFreshExit(host: ContainerHost, id: string): boolean {
  const stat = statSync(exitFile(host, id), { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < UNREAD_EXIT_MS
}

/** Ids of all that is out of line. */
export function findSuspects(host: ContainerHost): string[] {
  const records = host.records.listUnsettled().filter((record) => needsSettling(record, host))
  return [...records.map(({ id }) => id), ...unknownIds(host)]
}

/** Mends each of `ids` that nobody is at work on. One that cannot be mended keeps no other from it. */
export async function mend(host: ContainerHost, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    try {
      await mendOne(host, id)
    } catch (error) {
      log.warn(`cannot clean up container ${id}; the next command tries again`, { reason: String(error) })
    }
  }
}

async function mendOne(host: ContainerHost, id: string): Promise<void> {
  using lock = host.locks.tryAcquire(id)
  if (!lock) return
  if (!host.records.byId(id)) await removeUnknown(host, id)
  const record = await settle(host, id)
  if (!record) return lock.unlink()
  if (record.status !== "restarting") return
  // its sleeper was killed: another one, which lives on when this process ends
  spawnProcess(host.cleanupCommand(id), { detached: true }).unref()
}

/** All that can have been made of an id whose row is not there (yet, when its maker was killed; or any more). */
async function removeUnknown(host: ContainerHost, id: string): Promise<void> {
  unmountRoot(host, id)
  removeRunDirectory(host, id, { keepExitFile: isFreshExit(host, id) })
  const snapshots = await host.snapshots()
  await snapshots.remove(id)
  rmSync(stateDirectory(host, id), { recursive: true, force: true })
}

/** Everything: rows, run directories, addresses and ports. For `doctor` and tests; commands mend what they see. */
export async function reconcile(host: ContainerHost): Promise<void> {
  const { records, runRoot, root } = host
  const known = records.ids()
  const onDisk = [`${runRoot}/containers`, `${root}/containers`]
    .flatMap(namesIn)
    .filter((name) => isContainerId(name) && !known.has(name))
  await mend(host, new Set([...findSuspects(host), ...onDisk]))
  const networks = await host.networks()
  // read after the mending; a container that starts meanwhile is in the records before it has an address
  await networks.sweep(new Set(records.listUnsettled().map(({ id }) => id)))
}
