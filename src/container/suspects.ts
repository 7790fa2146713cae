/**
 * What is out of line: noticed by every command that reads containers, at the cost of a look into /proc. The repair (repair.ts) loads
 * only where there is something to do.
 */
import { statSync } from "node:fs"
import { namesIn } from "../base/names-in.ts"
import { isSameProcessAlive } from "../sys/process/process-identity.ts"
import type { ContainerDeps } from "./deps.ts"
import { isContainerId } from "./id.ts"
import { isHeld, isRunning } from "./observe.ts"
import { exitFile } from "./paths.ts"
import type { ContainerPulse } from "./records.ts"

/** How long after its time a restart is held to be forgotten: its sleeper was killed. */
const OVERDUE_MS = 1000
/** After this time nobody reads an exit code any more: who waited for it was killed. */
const UNREAD_EXIT_MS = 10_000

/** Whether a record cannot stay as it is: an end nobody wrote down, an interrupted start or removal, a restart forgotten. */
export function needsReconciling(
  record: ContainerPulse,
  deps: ContainerDeps,
  running: boolean = isRunning(record, deps),
): boolean {
  const { status, live, state } = record
  if (status === "removing") return true
  if (status === "initialized") return !isHeld(record, deps)
  if (status === "restarting")
    return live || state.bootId !== deps.bootId || (state.restartAt ?? 0) + OVERDUE_MS < Date.now()
  return live && (!running || isForgottenFrozen(record) || state.updating !== undefined || state.leaving !== undefined)
}

/** Ids of which something is left though no row knows them: a lock file, with which each begins, or an exit code unread. */
export function unknownIds(deps: ContainerDeps): string[] {
  const names = [...namesIn(`${deps.runRoot}/locks`), ...namesIn(`${deps.runRoot}/exits`)].filter(isContainerId)
  if (names.length === 0) return []
  const known = deps.records.ids()
  return names.filter((name) => !known.has(name) && !isFreshExit(deps, name))
}

/** Whether the exit code of an id that no row knows was written just now: its reader may be on its way. */
export function isFreshExit(deps: ContainerDeps, id: string): boolean {
  const stat = statSync(exitFile(deps, id), { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < UNREAD_EXIT_MS
}

/** Ids of all that is out of line. */
export function findSuspects(deps: ContainerDeps): string[] {
  const records = deps.records.listUnreconciledStates().filter((record) => needsReconciling(record, deps))
  return [...records.map(({ id }) => id), ...unknownIds(deps)]
}

/** Whether it stands still for a process that is gone. */
export function isForgottenFrozen({ state }: Pick<ContainerPulse, "state">): boolean {
  return state.frozenBy !== undefined && !isSameProcessAlive(state.frozenBy)
}
