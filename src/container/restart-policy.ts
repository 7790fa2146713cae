import type { RestartPolicy } from "../spec/docker/restart-policy.ts"
import type { RecordState } from "./record.ts"

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 60_000
/** A container that ran this long is held to be well: its back-off begins anew. */
const WELL_AFTER_MS = 10_000

type Ended = Omit<RecordState, "attachments">

/** How long to wait before the container starts again after its end; undefined: it does not. Docker's rules. Pure. */
export function restartDelayMs(policy: RestartPolicy, state: Ended): number | undefined {
  if (!state.restartRequested && !wantsRestart(policy, state)) return undefined
  const ranMs = (state.finishedAt ?? 0) - (state.startedAt ?? 0)
  if (state.restartDelayMs === undefined || ranMs >= WELL_AFTER_MS) return FIRST_DELAY_MS
  return Math.min(state.restartDelayMs * 2, MAX_DELAY_MS)
}

function wantsRestart({ name, maximumRetryCount }: RestartPolicy, state: Ended): boolean {
  if (state.stopRequested) return false
  switch (name) {
    case "no":
      return false
    case "always":
    case "unless-stopped":
      return true
    case "on-failure":
    case "on-unhealthy":
      return state.exitCode !== 0 && mayRetry(maximumRetryCount, state)
  }
}

/** Whether a container that has become unhealthy is to be ended and started again. Pure. */
export function restartsUnhealthy({ name, maximumRetryCount }: RestartPolicy, state: Ended): boolean {
  return name === "on-unhealthy" && mayRetry(maximumRetryCount, state)
}

/** Whether a boot starts it: always, or unless somebody had stopped it. Pure. */
export function startsOnBoot({ name }: RestartPolicy, state: Ended): boolean {
  return name === "always" || (name === "unless-stopped" && !state.stopRequested)
}

function mayRetry(maximumRetryCount: number, { restartCount }: Ended): boolean {
  return maximumRetryCount === 0 || restartCount < maximumRetryCount
}
