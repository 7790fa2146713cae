import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno } from "../../base/errors.ts"
import type { ContainerDeps } from "../deps.ts"
import type { ContainerRecord } from "../record.ts"
import type { HealthPlan } from "./plan.ts"
import { initialHealth, type HealthState } from "./state.ts"

type Place = Pick<ContainerDeps, "runRoot">

/** Outlives the container's run, and goes with the container or the boot. */
const logFile = ({ runRoot }: Place, id: string): string => `${runRoot}/health/${id}`

/**
 * What is known of the run that is under way, or the last one: the results by the file, the status by the record, which is
 * written in the transaction of its event. One that was never checked is starting.
 */
export function readHealth(deps: Place, record: ContainerRecord, plan: HealthPlan): HealthState {
  const startedAt = record.state.startedAt ?? 0
  const state = { ...initialHealth(startedAt, plan), ...ofRun(parse(logFile(deps, record.id)), startedAt) }
  const mark = ofRun(record.health, startedAt)
  return mark === undefined
    ? { ...state, status: "starting" }
    : { ...state, status: mark.status, isStartedUp: state.isStartedUp || mark.isStartedUp }
}

/** Of another run than this one, nothing counts. */
function ofRun<T extends { startedAt: number }>(value: T | undefined, startedAt: number): T | undefined {
  return value?.startedAt === startedAt ? value : undefined
}

/** Written aside and renamed: a reader never sees half of it. Not synced, as it ends with the boot. */
export function writeHealth(deps: Place, id: string, state: HealthState, { log }: HealthPlan): void {
  const text = JSON.stringify(state)
  try {
    atomicWrite(logFile(deps, id), text)
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
    mkdirSync(`${deps.runRoot}/health`, { recursive: true, mode: 0o700 })
    atomicWrite(logFile(deps, id), text)
  }
  if (log.directory !== undefined) atomicWrite(join(log.directory, `${id}-healthcheck.log`), text)
}

/** Safe to repeat. */
export function removeHealth(deps: Place, { id, spec }: ContainerRecord): void {
  rmSync(logFile(deps, id), { force: true })
  const directory = spec.options.health?.log?.directory
  if (directory !== undefined) rmSync(join(directory, `${id}-healthcheck.log`), { force: true })
}

function parse(path: string): HealthState | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as HealthState
  } catch {
    return undefined // none yet, or it went with the boot
  }
}
