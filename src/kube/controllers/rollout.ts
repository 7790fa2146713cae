/** How a Deployment's ReplicaSets are scaled, step by step (kubernetes: pkg/controller/deployment/rolling.go, recreate.go, sync.go). Pure. */

/** A ReplicaSet as a rollout sees it. */
export interface SetScale {
  uid: string
  /** Asked for. */
  replicas: number
  /** That serve. */
  available: number
  /** That there are. */
  existing: number
}

export interface Fenceposts {
  /** How many more than wanted there may be. */
  maxSurge: number
  /** How many of those wanted may be missing. */
  maxUnavailable: number
}

export interface RolloutState {
  wanted: number
  strategy: "RollingUpdate" | "Recreate"
  isPaused: boolean
  bounds: Fenceposts
  /** Of the template as it is; undefined: there is none yet. */
  current: SetScale | undefined
  /** Oldest first. */
  old: readonly SetScale[]
  /** What was wanted as they were scaled last. */
  desiredBefore: number | undefined
}

/** A number, or a share of `total`: surges are rounded up, what may be missing down; both 0 would never move. */
export function resolveFenceposts(
  update: { maxSurge?: number | string; maxUnavailable?: number | string } | undefined,
  total: number,
): Fenceposts {
  const maxSurge = shareOf(update?.maxSurge ?? "25%", total, Math.ceil)
  const maxUnavailable = shareOf(update?.maxUnavailable ?? "25%", total, Math.floor)
  return maxSurge === 0 && maxUnavailable === 0 ? { maxSurge, maxUnavailable: 1 } : { maxSurge, maxUnavailable }
}

export function shareOf(value: number | string, total: number, round: (share: number) => number): number {
  if (typeof value === "number") return value
  const percent = Number(value.replace(/%$/, ""))
  if (!Number.isFinite(percent)) return 0
  return value.endsWith("%") ? round((percent * total) / 100) : percent
}

/** What to scale to what, by uid. */
export function planRollout(state: RolloutState): Map<string, number> {
  const { current, old, wanted, desiredBefore, isPaused, strategy } = state
  const isScaling = desiredBefore !== undefined && desiredBefore !== wanted
  if (isPaused || isScaling) return proportional(state)
  if (current === undefined) return new Map()
  return strategy === "Recreate" ? recreate(current, old, wanted) : rolling(state, current)
}

function recreate(current: SetScale, old: readonly SetScale[], wanted: number): Map<string, number> {
  const plan = new Map(old.filter(({ replicas }) => replicas > 0).map(({ uid }) => [uid, 0]))
  if (plan.size === 0 && old.every(({ existing }) => existing === 0) && current.replicas !== wanted)
    plan.set(current.uid, wanted)
  return plan
}

const sum = (sets: readonly SetScale[], of: (set: SetScale) => number): number =>
  sets.reduce((total, set) => total + of(set), 0)

function rolling({ wanted, bounds, old }: RolloutState, current: SetScale): Map<string, number> {
  const plan = new Map<string, number>()
  const all = [...old, current]
  const total = sum(all, ({ replicas }) => replicas)
  // one step at a time: up first, down when what is new serves
  if (current.replicas > wanted) return plan.set(current.uid, wanted)
  if (current.replicas < wanted && total < wanted + bounds.maxSurge)
    return plan.set(current.uid, Math.min(wanted, current.replicas + wanted + bounds.maxSurge - total))
  const least = wanted - bounds.maxUnavailable
  const newUnavailable = Math.max(0, current.replicas - current.available)
  let room = total - least - newUnavailable
  if (room <= 0) return plan
  // those that do not serve anyway go first
  const left = new Map(old.map((set) => [set.uid, set.replicas]))
  for (const set of old) {
    const broken = Math.min(room, Math.max(0, set.replicas - set.available))
    if (broken === 0) continue
    left.set(set.uid, set.replicas - broken)
    room -= broken
  }
  let spare = sum(all, ({ available }) => available) - least
  for (const set of old) {
    const before = left.get(set.uid) ?? 0
    const down = Math.min(before, Math.max(0, spare))
    left.set(set.uid, before - down)
    spare -= down
  }
  for (const { uid, replicas } of old) if (left.get(uid) !== replicas) plan.set(uid, left.get(uid) ?? 0)
  return plan
}

/** The number wanted is another in the middle of a rollout, or while it is paused: each set has its share of the difference. */
function proportional({ wanted, bounds, strategy, current, old }: RolloutState): Map<string, number> {
  const plan = new Map<string, number>()
  const all = [...(current ? [current] : []), ...old.toReversed()]
  const active = all.filter(({ replicas }) => replicas > 0)
  if (active.length <= 1) {
    const only = active[0] ?? current ?? old.at(-1)
    if (only !== undefined) plan.set(only.uid, wanted)
    return plan
  }
  // all new ones serve: what is old has no share any more
  if (current && current.replicas === wanted && current.available === wanted) {
    for (const { uid } of active) if (uid !== current.uid) plan.set(uid, 0)
    plan.set(current.uid, wanted)
    return plan
  }
  const total = sum(active, ({ replicas }) => replicas)
  const target = strategy === "Recreate" || wanted === 0 ? wanted : wanted + bounds.maxSurge
  let rest = target - total
  const bySize = active.toSorted((a, b) => b.replicas - a.replicas)
  for (const { uid, replicas } of bySize) {
    const share = total === 0 ? 0 : Math.round((replicas * target) / total) - replicas
    const change = rest > 0 ? Math.min(Math.max(share, 0), rest) : Math.max(Math.min(share, 0), rest)
    plan.set(uid, Math.max(0, replicas + change))
    rest -= change
  }
  const first = bySize[0]
  if (rest !== 0 && first) plan.set(first.uid, Math.max(0, (plan.get(first.uid) ?? 0) + rest))
  return plan
}
