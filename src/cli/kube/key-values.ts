import { UsageError } from "../errors/usage-error.ts"

/** `a=1`, `b-` of a command line, and the words before them. */
export interface KeyChanges {
  words: string[]
  /** null: it goes. */
  changes: Map<string, string | null>
}

/** Takes apart resources and `KEY=VALUE` or `KEY-`. Throws UsageError where there are none. */
export function readKeyChanges(all: readonly string[], what: string): KeyChanges {
  const words: string[] = []
  const changes = new Map<string, string | null>()
  for (const word of all) {
    const equals = word.indexOf("=")
    if (equals > 0) changes.set(word.slice(0, equals), word.slice(equals + 1))
    else if (word.endsWith("-") && word.length > 1 && words.length > 0) changes.set(word.slice(0, -1), null)
    else if (changes.size > 0) throw new UsageError(`all resources must be specified before ${what} changes: ${word}`)
    else words.push(word)
  }
  if (changes.size === 0) throw new UsageError(`at least one ${what} update is required`)
  return { words, changes }
}

/** `a=1,b=2`. Throws UsageError. */
export function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((one): [string, string] => {
      const equals = one.indexOf("=")
      if (equals < 1) throw new UsageError(`expected KEY=VALUE, not "${one}"`)
      return [one.slice(0, equals), one.slice(equals + 1)]
    }),
  )
}
