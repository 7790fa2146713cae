/** Indexes of an Indexed Job as its status has them: `0-2,5`. Pure. */

/** As Kubernetes bounds them. */
export const MAX_INDEX = 100_000

/**
 * Each once, in the order of the text. A text may name all of them a hundred thousand times over: what it takes is bounded, and what is
 * beyond that is not read.
 */
export function indexesOf(text: string | undefined): number[] {
  const found = new Set<number>()
  let steps = 2 * MAX_INDEX
  for (const [, from, to = from] of (text ?? "").matchAll(/(?:^|,)(\d+)(?:-(\d+))?(?=,|$)/g)) {
    const last = Math.min(Number(to), MAX_INDEX)
    for (let index = Number(from); index <= last && steps > 0; index++, steps--) found.add(index)
    if (steps-- <= 0) break
  }
  return [...found]
}

/** In order, once. */
export function addIndex(indexes: readonly number[], index: number): number[] {
  return indexes.includes(index) ? [...indexes] : [...indexes, index].toSorted((a, b) => a - b)
}

export function indexText(indexes: readonly number[]): string {
  const parts: string[] = []
  for (let at = 0; at < indexes.length;) {
    let end = at
    while (indexes[end + 1] === (indexes[end] ?? 0) + 1) end++
    parts.push(end === at ? `${indexes[at]}` : `${indexes[at]}${end === at + 1 ? "," : "-"}${indexes[end]}`)
    at = end + 1
  }
  return parts.join(",")
}
