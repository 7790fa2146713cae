/** Maps of user and group ids (user_namespaces(7)); pure. */
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { IdMapping } from "../user-namespace-options.ts"

/** What is written to uid_map and gid_map. */
export interface IdMaps {
  uids: readonly IdMapping[]
  gids: readonly IdMapping[]
}

/** A stretch of ids. */
export interface IdRange {
  first: number
  count: number
}

const MAX_ID = 2 ** 32 - 2
/** The kernel takes no more lines. */
const MAX_LINES = 340

/** The lines of `/proc/PID/uid_map`. */
export function parseIdMap(text: string): IdMapping[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, outside = 0, count = 0]) => ({ inside, outside, count }))
}

/** The id outside of `inside`; undefined when it is mapped to none. */
export function outsideOf(map: readonly IdMapping[], inside: number): number | undefined {
  const line = map.find((one) => inside >= one.inside && inside < one.inside + one.count)
  return line && line.outside + inside - line.inside
}

/** Lines that name ids of the host, by the ids that these have in the engine, whose map is `own`. Throws InvalidArgument. */
export function fromHost(map: readonly IdMapping[], own: readonly IdMapping[]): IdMapping[] {
  return map.map(({ inside, outside, count, ofHost }) => {
    if (ofHost !== true) return { inside, outside, count }
    const range = own.find((one) => one.outside <= outside && outside + count <= one.outside + one.count)
    if (range === undefined)
      throw new InvalidArgument(`the ids of the host from ${outside} on are not yours`, {
        field: "userNamespace",
        hint: "yours are your own, and those of your ranges in /etc/subuid and /etc/subgid",
      })
    return { inside, outside: range.inside + outside - range.outside, count }
  })
}

/** Throws InvalidArgument for ids that are none, or mapped twice. */
export function checkIdMap(map: readonly IdMapping[], field: string): void {
  if (map.length === 0 || map.length > MAX_LINES)
    throw new InvalidArgument(`a map of ids has 1 to ${MAX_LINES} lines, not ${map.length}`, { field })
  for (const { inside, outside, count } of map)
    if (count < 1 || inside + count - 1 > MAX_ID || outside + count - 1 > MAX_ID)
      throw new InvalidArgument(`invalid map of ids ${inside}:${outside}:${count}`, {
        field,
        hint: `ids are from 0 to ${MAX_ID}`,
      })
  for (const side of ["inside", "outside"] as const) {
    const sorted = map.toSorted((a, b) => a[side] - b[side])
    const double = sorted.find(
      (one, index) => index > 0 && (sorted[index - 1]?.[side] ?? 0) + (sorted[index - 1]?.count ?? 0) > one[side],
    )
    if (double !== undefined) throw new InvalidArgument(`the map of ids names ${double[side]} ${side} twice`, { field })
  }
}

/** The caller, who is 0 of `available` ids, is `id` inside; all others fill up the rest. */
export function keepId(id: number, available: number): IdMapping[] {
  const below = Math.min(id, available - 1)
  return [
    { inside: 0, outside: 1, count: below },
    { inside: id, outside: 0, count: 1 },
    { inside: id + 1, outside: below + 1, count: available - below - 1 },
  ].filter(({ count }) => count > 0)
}

/** The caller, who is 0 of `available` ids, is `id` inside, and root inside is the engine's `id`; all others are the same. */
export function exchangedWithRoot(id: number, available: number): IdMapping[] {
  if (id === 0) return [{ inside: 0, outside: 0, count: available }]
  if (id >= available) return keepId(id, available)
  return [
    { inside: 0, outside: id, count: 1 },
    { inside: 1, outside: 1, count: id - 1 },
    { inside: id, outside: 0, count: 1 },
    { inside: id + 1, outside: id + 1, count: available - id - 1 },
  ].filter(({ count }) => count > 0)
}

/** The same map, cut where the ids outside lie in several ranges of `own`: the kernel takes no line that spans two of its parent's. */
export function cutByRanges(map: readonly IdMapping[], own: readonly IdMapping[]): IdMapping[] {
  return map.flatMap(({ inside, outside, count }) => {
    const end = outside + count
    const cuts = own.map((range) => range.inside).filter((id) => id > outside && id < end)
    const starts = [outside, ...cuts.toSorted((a, b) => a - b)]
    return starts.map((first, index) => ({
      inside: inside + first - outside,
      outside: first,
      count: (starts[index + 1] ?? end) - first,
    }))
  })
}

/** Consecutive ids from 0 on inside. */
export function consecutive(ranges: readonly IdRange[]): IdMapping[] {
  let inside = 0
  return ranges.map(({ first, count }) => {
    const mapping = { inside, outside: first, count }
    inside += count
    return mapping
  })
}

/** The lowest stretch of `count` ids in `available` that touches none of `taken`. Throws FailedPrecondition. */
export function freeRange(available: readonly IdRange[], taken: readonly IdRange[], count: number): IdRange {
  for (const range of available.toSorted((a, b) => a.first - b.first)) {
    let { first } = range
    for (const other of taken.toSorted((a, b) => a.first - b.first))
      if (other.first < first + count && other.first + other.count > first) first = other.first + other.count
    if (first + count <= range.first + range.count) return { first, count }
  }
  throw new FailedPrecondition(`no ${count} ids are left for a user namespace of its own`, {
    field: "userNamespace",
    hint: "remove containers that have such, ask for a smaller size, or add ranges to /etc/subuid and /etc/subgid",
  })
}

/** Ids that both have. */
export function commonRanges(one: readonly IdRange[], other: readonly IdRange[]): IdRange[] {
  return one.flatMap((a) =>
    other.flatMap((b) => {
      const first = Math.max(a.first, b.first)
      const end = Math.min(a.first + a.count, b.first + b.count)
      return end > first ? [{ first, count: end - first }] : []
    }),
  )
}

/** A map of `size` ids from `range`, but for the given lines, which the ids of the range leave room for. */
export function autoMap(range: IdRange, size: number, given: readonly IdMapping[] = []): IdMapping[] {
  const lines: IdMapping[] = [...given]
  let { first } = range
  let inside = 0
  for (const next of [...given.toSorted((a, b) => a.inside - b.inside), { inside: size, count: 0 }]) {
    const count = Math.min(next.inside, size) - inside
    if (count > 0) {
      lines.push({ inside, outside: first, count })
      first += count
    }
    inside = Math.max(inside, next.inside + next.count)
  }
  return lines.toSorted((a, b) => a.inside - b.inside)
}
