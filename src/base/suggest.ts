// nobody misspells longer names by two letters, and comparing them takes its time
const MAX_LENGTH = 40

/**
 * The name of `names` that `word` was probably meant to be: at most two letters off; undefined when none is near, or the
 * word is one of them but for its case, unless that counts.
 */
export function nearest(word: string, names: Iterable<string>, caseCounts = false): string | undefined {
  if (word.length > MAX_LENGTH) return undefined
  const folded = (text: string) => (caseCounts ? text : text.toLowerCase())
  const wanted = folded(word)
  let best: string | undefined
  let least = 3
  for (const name of names) {
    const option = folded(name)
    if (option === wanted) return undefined
    if (Math.abs(option.length - wanted.length) >= least) continue
    const distance = editDistance(wanted, option)
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

/** ` (did you mean FROM?)`, or nothing. */
export function didYouMean(word: string, names: Iterable<string>, caseCounts = false): string {
  const name = nearest(word, names, caseCounts)
  return name === undefined ? "" : ` (did you mean ${name}?)`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
