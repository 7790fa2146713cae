/**
 * Which endpoint answers for which number of a drawing of lots. Pure.
 *
 * Of few endpoints each has one number, and lots are drawn among as many. Of many each has several of a power of two, so that one more takes
 * a few numbers from each other and all the rest stays: adding one of a thousand changes a handful of elements.
 */

/** Up to so many endpoints have one number each. */
const EXACT = 16
/** How many numbers an endpoint has when the drawing is made, and at least: what is uneven is an eighth of a share, or a quarter. */
const SHARE = 8
const LEAST_SHARE = 4
const LARGEST = 65_536
const SMALLEST = 128

/** Sizes of drawings that the table has chains for. */
export const DRAWINGS: readonly number[] = [
  ...Array.from({ length: EXACT }, (_, index) => index + 1),
  ...Array.from({ length: 10 }, (_, index) => 128 << index),
]

/** As many endpoints of one port as the largest drawing has room for. */
export const MOST_ENDPOINTS = LARGEST / LEAST_SHARE

/**
 * The numbers' owners, with as few changes of `before` as can be. `wanted` has no two alike. `isStable`: callers stay with their numbers, so that few
 * endpoints are drawn as many are: one more takes a few numbers, and not the meaning of all of them.
 */
export function drawing(
  before: readonly string[],
  wanted: readonly string[],
  { isStable = false }: { isStable?: boolean } = {},
): string[] {
  const owners = wanted.slice(0, MOST_ENDPOINTS)
  if (owners.length <= (isStable ? 0 : EXACT)) return few(before, owners)
  const isFit =
    before.length > EXACT &&
    before.length >= owners.length * LEAST_SHARE &&
    before.length <= Math.max(SMALLEST, owners.length * SHARE * 8)
  const size = isFit
    ? before.length
    : Math.min(LARGEST, Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(owners.length * SHARE))))
  return many(isFit ? before : [], owners, size)
}

function few(before: readonly string[], wanted: readonly string[]): string[] {
  const missing = new Set(wanted)
  const slots: (string | undefined)[] = wanted.map((_, index) => {
    const owner = before[index]
    return owner !== undefined && missing.delete(owner) ? owner : undefined
  })
  const rest = missing.values()
  return slots.map((owner) => owner ?? rest.next().value ?? "")
}

function many(before: readonly string[], wanted: readonly string[], size: number): string[] {
  const share = Math.floor(size / wanted.length)
  // so many have one more than the others
  let larger = size % wanted.length
  const counts = new Map(wanted.map((owner) => [owner, 0]))
  const slots: (string | undefined)[] = Array.from({ length: size }, (_, index) => {
    const owner = before[index]
    const count = owner === undefined ? undefined : counts.get(owner)
    if (owner === undefined || count === undefined || count > share || (count === share && larger === 0))
      return undefined
    if (count === share) larger--
    counts.set(owner, count + 1)
    return owner
  })
  const next = shortOnes(counts, share, larger)
  return slots.map((owner) => owner ?? next.next().value ?? "")
}

/** Who has fewer numbers than his share, as often as he lacks them; then those that get one more. */
function* shortOnes(counts: ReadonlyMap<string, number>, share: number, larger: number): Generator<string, undefined> {
  const queue = [...counts].filter(([, count]) => count < share)
  // in turns, so that neighbouring numbers have different owners
  for (let round = 0; queue.some(([, count]) => count + round < share); round++)
    for (const [owner, count] of queue) if (count + round < share) yield owner
  let left = larger
  for (const [owner, count] of counts) {
    if (left === 0) return undefined
    if (count > share) continue
    left--
    yield owner
  }
  return undefined
}
