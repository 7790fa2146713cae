import type { ContainerDeps } from "../deps.ts"
import { isRunning } from "../observe.ts"
import type { ContainerRecord } from "../record.ts"
import type { Duty } from "./health.ts"
import { healthPlan } from "./plan.ts"

/** What a container needs the supervisor for; undefined: nothing. `running`: where it was looked at already. A paused one stands still, and is not checked. */
export function dutyOf(
  record: ContainerRecord,
  deps: Pick<ContainerDeps, "runRoot" | "bootId">,
  running?: boolean,
): Duty | undefined {
  const { id, status, state, spec } = record
  if (status === "restarting" && state.bootId === deps.bootId) return { kind: "restart", id, at: state.restartAt ?? 0 }
  // told first by what costs nothing
  if (status !== "running" || !isChecked(spec) || !(running ?? isRunning(record, deps))) return undefined
  return { kind: "check", id, startedAt: state.startedAt ?? 0 }
}

/** A longer back-off is left to the supervisor, one process for all of them; a shorter one costs less than to wake it. */
export const OWN_SLEEP_MS = 1_000

/** Whether somebody who sees this must see to it that the supervisor runs. */
export function needsSupervisor(
  record: ContainerRecord,
  deps: Pick<ContainerDeps, "runRoot" | "bootId">,
  running: boolean,
): boolean {
  const duty = dutyOf(record, deps, running)
  return duty?.kind === "check" || (duty !== undefined && duty.at - Date.now() > OWN_SLEEP_MS)
}

/** Whether a timer runs for it. */
export function isChecked(spec: ContainerRecord["spec"]): boolean {
  // most containers have neither
  if (spec.run.healthcheck === undefined) return false
  const plan = healthPlan(spec)
  return plan !== undefined && !plan.manual
}
