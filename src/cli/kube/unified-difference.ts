/** Lines around a change. */
const CONTEXT = 3
/** More cells than that are not compared: all lines differ then. */
const MAX_CELLS = 16_000_000

/** Two texts as `diff -u` shows them; empty where they are one. */
export function unifiedDifference(before: string, after: string, beforeName: string, afterName: string): string {
  if (before === after) return ""
  const edits = editsOf(linesOf(before), linesOf(after))
  const hunks = hunksOf(edits)
  return `diff -u -N ${beforeName} ${afterName}\n--- ${beforeName}\n+++ ${afterName}\n${hunks.join("")}`
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n")
}

type Edit = { sign: " " | "-" | "+"; line: string }

/** By the longest common subsequence, after what is the same at both ends. */
function editsOf(one: readonly string[], other: readonly string[]): Edit[] {
  let start = 0
  while (start < one.length && start < other.length && one[start] === other[start]) start++
  let end = 0
  while (
    end < one.length - start &&
    end < other.length - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  )
    end++
  const [left, right] = [one.slice(start, one.length - end), other.slice(start, other.length - end)]
  return [...one.slice(0, start).map(same), ...middle(left, right), ...one.slice(one.length - end).map(same)]
}

function same(line: string): Edit {
  return { sign: " ", line }
}

function count(list: readonly Edit[], skipped: "-" | "+"): number {
  return list.filter(({ sign }) => sign !== skipped).length
}

function middle(left: readonly string[], right: readonly string[]): Edit[] {
  if (left.length * right.length > MAX_CELLS)
    return [...left.map((line): Edit => ({ sign: "-", line })), ...right.map((line): Edit => ({ sign: "+", line }))]
  const width = right.length + 1
  const lengths = new Uint32Array((left.length + 1) * width)
  for (let row = left.length - 1; row >= 0; row--)
    for (let column = right.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        left[row] === right[column]
          ? (lengths[(row + 1) * width + column + 1] ?? 0) + 1
          : Math.max(lengths[(row + 1) * width + column] ?? 0, lengths[row * width + column + 1] ?? 0)
  const edits: Edit[] = []
  let [row, column] = [0, 0]
  while (row < left.length || column < right.length) {
    const [old = "", fresh = ""] = [left[row], right[column]]
    if (row < left.length && column < right.length && old === fresh) {
      edits.push({ sign: " ", line: old })
      row++
      column++
    } else if (
      row < left.length &&
      (column >= right.length || (lengths[(row + 1) * width + column] ?? 0) >= (lengths[row * width + column + 1] ?? 0))
    ) {
      edits.push({ sign: "-", line: old })
      row++
    } else {
      edits.push({ sign: "+", line: fresh })
      column++
    }
  }
  return edits
}

function hunksOf(edits: readonly Edit[]): string[] {
  const changed = edits.flatMap(({ sign }, index) => (sign === " " ? [] : [index]))
  const ranges: { from: number; to: number }[] = []
  for (const index of changed) {
    const last = ranges.at(-1)
    const from = Math.max(0, index - CONTEXT)
    const to = Math.min(edits.length, index + CONTEXT + 1)
    if (last && from <= last.to) last.to = to
    else ranges.push({ from, to })
  }
  return ranges.map(({ from, to }) => {
    const own = edits.slice(from, to)
    const before = edits.slice(0, from)
    const range = (skipped: "-" | "+"): string => {
      const size = count(own, skipped)
      const start = count(before, skipped) + (size === 0 ? 0 : 1)
      return size === 1 ? `${start}` : `${start},${size}`
    }
    return `@@ -${range("+")} +${range("-")} @@\n${own.map(({ sign, line }) => `${sign}${line}\n`).join("")}`
  })
}
