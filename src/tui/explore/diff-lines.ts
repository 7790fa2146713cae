/** One line of a comparison. */
export interface DiffLine {
  kind: "same" | "added" | "removed"
  text: string
}

/** Beyond so many differences nobody reads on, and time and memory grow by their square. */
const MOST_DIFFERENCES = 1000

/** What makes `after` of `before`, by lines (Myers, "An O(ND) Difference Algorithm", 1986); undefined when they differ too much. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] | undefined {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++
  const middle = myers(before.slice(start, before.length - end), after.slice(start, after.length - end))
  if (!middle) return undefined
  return [...same(before.slice(0, start)), ...middle, ...same(before.slice(before.length - end))]
}

function same(lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ kind: "same", text }))
}

function myers(before: readonly string[], after: readonly string[]): DiffLine[] | undefined {
  const most = Math.min(before.length + after.length, MOST_DIFFERENCES)
  // furthest places by diagonal, after each number of differences
  const traces: Int32Array[] = []
  const furthest = new Int32Array(2 * most + 3)
  for (let count = 0; count <= most; count++) {
    traces.push(furthest.slice())
    for (let diagonal = -count; diagonal <= count; diagonal += 2) {
      let x = startOf(furthest, diagonal, count, most)
      let y = x - diagonal
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x++
        y++
      }
      furthest[diagonal + most + 1] = x
      if (x >= before.length && y >= after.length) return walkBack(traces, before, after, most)
    }
  }
  return undefined
}

function startOf(furthest: Int32Array, diagonal: number, count: number, most: number): number {
  const [lower = 0, upper = 0] = [furthest[diagonal + most], furthest[diagonal + most + 2]]
  return startsBelow(furthest, diagonal, count, most) ? upper : lower + 1
}

function walkBack(
  traces: readonly Int32Array[],
  before: readonly string[],
  after: readonly string[],
  most: number,
): DiffLine[] {
  const lines: DiffLine[] = []
  let [x, y] = [before.length, after.length]
  for (let count = traces.length - 1; count >= 0; count--) {
    const furthest = traces[count]
    if (!furthest) break
    const diagonal = x - y
    const start = count === 0 ? 0 : startOf(furthest, diagonal, count, most)
    while (x > start && y > start - diagonal && x > 0 && y > 0) {
      x--
      y--
      lines.push({ kind: "same", text: before[x] ?? "" })
    }
    if (count === 0) break
    if (startsBelow(furthest, diagonal, count, most)) {
      y--
      lines.push({ kind: "added", text: after[y] ?? "" })
    } else {
      x--
      lines.push({ kind: "removed", text: before[x] ?? "" })
    }
  }
  return lines.toReversed()
}

function startsBelow(furthest: Int32Array, diagonal: number, count: number, most: number): boolean {
  const [lower = 0, upper = 0] = [furthest[diagonal + most], furthest[diagonal + most + 2]]
  return diagonal === -count || (diagonal !== count && lower < upper)
}
