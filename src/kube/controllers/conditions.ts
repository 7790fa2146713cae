import { timestamp } from "./times.ts"

/** What every kind's conditions have. */
export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
}

/**
 * With `next` in place of the one of its type; the time of its change stays while its status does. `updates`: of kinds that also say
 * when it was last written. The same list where nothing changed. Pure.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  next: C,
  now: number,
  { updates = false } = {},
): C[] {
  const all = [...(conditions ?? [])]
  const at = all.findIndex(({ type }) => type === next.type)
  const before = all[at]
  if (before?.status === next.status && before.reason === next.reason && before.message === next.message) return all
  const stays = before?.status === next.status && before.lastTransitionTime !== undefined
  const whole = {
    ...next,
    ...(updates && { lastUpdateTime: timestamp(now) }),
    lastTransitionTime: stays ? before.lastTransitionTime : timestamp(now),
  }
  if (at < 0) all.push(whole)
  else all[at] = whole
  return all
}

export function withoutCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((one) => one.type !== type)
}

export function conditionOf<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((one) => one.type === type)
}
