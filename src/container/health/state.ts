import type { Health, HealthResult } from "./health.ts"
import type { HealthPlan } from "./plan.ts"

/** What is known of one run of a container; the next run begins anew. */
export interface HealthState extends Health {
  /** Of the run. */
  startedAt: number
  /** The startup check has succeeded, or there is none. */
  isStartedUp: boolean
  /** Successes of the startup check in a row. */
  successes: number
  /** Failures of the readiness check in a row. */
  unreadyStreak?: number
}

/** Before the first check of a run. */
export function initialHealth(startedAt: number, plan: Pick<HealthPlan, "startup">): HealthState {
  const isStartedUp = plan.startup === undefined
  return { status: "starting", failingStreak: 0, log: [], startedAt, isStartedUp, successes: 0 }
}

/** The check that is due: the startup check as long as it has not succeeded. */
export function duePlan(state: HealthState, plan: HealthPlan): Pick<HealthPlan, "program" | "request" | "timeoutMs"> {
  return state.isStartedUp || plan.startup === undefined ? plan : plan.startup
}

/**
 * What a result makes of the state: docker's rules, and podman's for the startup check. `isOfReadiness`: the other check has succeeded just before,
 * and its streak has ended. Pure.
 */
export function afterCheck(
  state: HealthState,
  result: HealthResult,
  plan: HealthPlan,
  isOfReadiness = false,
): HealthState {
  const all = [...state.log, result]
  const log = plan.log.maxCount === 0 ? all : all.slice(-plan.log.maxCount)
  const isOk = result.exitCode === 0
  if (!state.isStartedUp && plan.startup !== undefined) {
    const successes = isOk ? state.successes + 1 : 0
    const isStartedUp = successes >= plan.startup.successes
    return { ...state, log, successes, isStartedUp, failingStreak: isOk ? 0 : state.failingStreak + 1 }
  }
  if (isOfReadiness) {
    const unreadyStreak = isOk ? 0 : (state.unreadyStreak ?? 0) + 1
    const isUnready = unreadyStreak >= (plan.readiness?.retries ?? 1)
    return {
      ...state,
      log,
      failingStreak: 0,
      unreadyStreak,
      status: isOk ? "healthy" : isUnready ? "unhealthy" : state.status,
    }
  }
  if (isOk) return { ...state, log, status: "healthy", failingStreak: 0 }
  const isExcused = state.status === "starting" && result.start < state.startedAt + plan.startPeriodMs
  const failingStreak = isExcused ? state.failingStreak : state.failingStreak + 1
  return { ...state, log, failingStreak, status: failingStreak >= plan.retries ? "unhealthy" : state.status }
}

/** Whether the startup check has failed for too long: the container begins anew. */
export function isStartupHopeless(state: HealthState, { startup }: HealthPlan): boolean {
  return !state.isStartedUp && startup !== undefined && startup.retries > 0 && state.failingStreak >= startup.retries
}

/** How long until the check that is due, seen from the end of the last. */
export function intervalMs(state: HealthState, plan: HealthPlan, now: number): number {
  if (!state.isStartedUp && plan.startup !== undefined) return plan.startup.intervalMs
  const isInStartPeriod = state.status === "starting" && now < state.startedAt + plan.startPeriodMs
  return isInStartPeriod ? Math.min(plan.startIntervalMs, plan.intervalMs) : plan.intervalMs
}
