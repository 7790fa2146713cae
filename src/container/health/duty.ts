import type { ContainerDeps } from "../deps.ts"
import { isRunning } from "../observe.ts"
import type { ContainerRecord } from "../record.ts"
import type { Duty } from "./health.ts"
import { healthPlan } from "./plan.ts"

type DutyDeps = Pick<ContainerDeps, "runRoot" | "bootId" | "samplingMs" | "isWatched">

/** What a container needs the supervisor for; undefined: nothing. `running`: where it was looked at already. A paused one stands still, and is not checked. */
export function dutyOf(record: ContainerRecord, deps: DutyDeps, running?: boolean): Duty | undefined {
  const { id, status, state, spec } = record
  if (status === "restarting" && state.bootId === deps.bootId) return { kind: "restart", id, at: state.restartAt ?? 0 }
  // told first by what costs nothing
  if (status !== "running" || !isSeenTo(spec, deps) || !(running ?? isRunning(record, deps))) return undefined
  return { kind: isChecked(spec) ? "check" : "look", id, startedAt: state.startedAt ?? 0 }
}

/** Whether somebody must stay for it while it runs: for its checks, its log files, to sample what it uses, or to scan it again. */
export function isSeenTo(
  spec: ContainerRecord["spec"],
  deps: Pick<ContainerDeps, "samplingMs" | "isWatched">,
): boolean {
  return isChecked(spec) || keepsLogFiles(spec) || deps.samplingMs() !== undefined || deps.isWatched?.() === true
}

/** More log files were asked for than conmon keeps by itself. */
function keepsLogFiles({ options, logPath }: ContainerRecord["spec"]): boolean {
  return logPath !== undefined && Number(options.log.options["max-file"] ?? 1) > 1
}

/** A longer back-off is left to the supervisor, one process for all of them; a shorter one costs less than to wake it. */
export const OWN_SLEEP_MS = 1_000

/** Whether somebody who sees this must see to it that the supervisor runs. */
export function needsSupervisor(record: ContainerRecord, deps: DutyDeps, running: boolean): boolean {
  const duty = dutyOf(record, deps, running)
  return duty !== undefined && (duty.kind !== "restart" || duty.at - Date.now() > OWN_SLEEP_MS)
}

/** Whether a timer runs for it. */
export function isChecked(spec: ContainerRecord["spec"]): boolean {
  // most containers have neither
  if (spec.run.healthcheck === undefined) return false
  const plan = healthPlan(spec)
  return plan !== undefined && !plan.manual
}
