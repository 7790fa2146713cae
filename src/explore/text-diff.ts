/** Lines on both sides together; more are not compared. */
const MAX_LINES = 20_000
/** Of steps that the search for the shortest way may take. */
const MAX_EDITS = 600
const CONTEXT_LINES = 3

type Edit = { kind: " " | "-" | "+"; line: string; old: number; new: number }

/** The hunks of a unified diff of two texts; undefined when they are too long or too different to be compared. */
export function textDiff(before: string, after: string): string[] | undefined {
  const [a, b] = [linesOf(before), linesOf(after)]
  if (a.length + b.length > MAX_LINES) return undefined
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const path = shortestEdits(a.slice(start, a.length - end), b.slice(start, b.length - end))
  if (path === undefined) return undefined
  const edits: Edit[] = []
  const keep = (from: number, count: number, other: number) => {
    for (let at = 0; at < count; at++)
      edits.push({ kind: " ", line: a[from + at] ?? "", old: from + at, new: other + at })
  }
  keep(0, start, 0)
  for (const one of path) edits.push({ ...one, old: one.old + start, new: one.new + start })
  keep(a.length - end, end, b.length - end)
  return hunks(edits)
}

function linesOf(text: string): string[] {
  if (text === "") return []
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n")
}

/** Myers, "An O(ND) difference algorithm and its variations" (1986). */
function shortestEdits(a: readonly string[], b: readonly string[]): Edit[] | undefined {
  const max = Math.min(a.length + b.length, MAX_EDITS)
  const reach = new Map<number, number>([[1, 0]])
  const trace: Map<number, number>[] = []
  for (let edits = 0; edits <= max; edits++) {
    trace.push(new Map(reach))
    for (let k = -edits; k <= edits; k += 2) {
      const isDown = k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1))
      let x = isDown ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reach.set(k, x)
      if (x >= a.length && x - k >= b.length) return backwards(trace, a, b)
    }
  }
  return undefined
}

function backwards(trace: readonly Map<number, number>[], a: readonly string[], b: readonly string[]): Edit[] {
  const found: Edit[] = []
  let [x, y] = [a.length, b.length]
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits]
    const k = x - y
    const isDown = k === -edits || (k !== edits && (reach?.get(k - 1) ?? -1) < (reach?.get(k + 1) ?? -1))
    const fromK = isDown ? k + 1 : k - 1
    const fromX = edits === 0 ? 0 : (reach?.get(fromK) ?? 0)
    const fromY = edits === 0 ? 0 : fromX - fromK
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      x--
      y--
      found.push({ kind: " ", line: a[x] ?? "", old: x, new: y })
    }
    if (edits === 0) break
    if (isDown) found.push({ kind: "+", line: b[--y] ?? "", old: x, new: y })
    else found.push({ kind: "-", line: a[--x] ?? "", old: x, new: y })
  }
  return found.toReversed()
}

function hunks(edits: readonly Edit[]): string[] {
  const lines: string[] = []
  for (let at = 0; at < edits.length;) {
    const first = edits.findIndex(({ kind }, index) => index >= at && kind !== " ")
    if (first < 0) break
    const start = Math.max(at, first - CONTEXT_LINES)
    let end = first
    for (let index = first; index < edits.length && index <= end + 2 * CONTEXT_LINES; index++)
      if (edits[index]?.kind !== " ") end = index
    const hunk = edits.slice(start, end + 1 + CONTEXT_LINES)
    const count = (other: "+" | "-") => hunk.filter(({ kind }) => kind !== other).length
    const [begin] = hunk
    lines.push(`@@ -${(begin?.old ?? 0) + 1},${count("+")} +${(begin?.new ?? 0) + 1},${count("-")} @@`)
    for (const { kind, line } of hunk) lines.push(`${kind}${line}`)
    at = end + 1 + CONTEXT_LINES
  }
  return lines
}
