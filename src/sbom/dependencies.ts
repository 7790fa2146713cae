import type { Package } from "./package.ts"
import { MAX_VALUE } from "./stanza.ts"

/** What a package asks for and gives, by the words of its manager's database. */
export interface Needs {
  /** Each a name, or names of which one is enough. */
  needs: readonly string[]
  /** Beside its own name. */
  gives: readonly string[]
}

/** Of one package; rpm's kernel headers have some thousand. */
const MAX_WORDS = 4000
/** Of one package that is needed by many words. */
const MAX_NEEDED = 1000

/** A package of a system's manager before it is known who gives what it needs. */
export interface Needing {
  found: Package
  words: Needs
}

/**
 * Says of each package by name which others it needs, as far as they are there. A word that nobody gives is a file's, a
 * capability's of the manager, or an alternative that is not installed.
 */
export function withDependencies(packages: readonly Needing[]): Package[] {
  const givers = new Map<string, string>()
  for (const { found, words } of packages)
    for (const word of words.gives) if (!givers.has(word)) givers.set(word, found.name)
  // a package's own name counts before what another one gives
  for (const { found } of packages) givers.set(found.name, found.name)
  return packages.map(({ found, words }) => {
    const names = new Set<string>()
    for (const word of words.needs) {
      const name = givers.get(word)
      if (name !== undefined && name !== found.name && names.size < MAX_NEEDED) names.add(name)
    }
    return names.size === 0 ? found : { ...found, dependsOn: [...names].toSorted() }
  })
}

/** Words of a list, each without its version and architecture, no more than may be. `separator` is between them. */
export function wordsOf(text: string | undefined, separator: RegExp): string[] {
  if (text === undefined) return []
  const words: string[] = []
  for (const part of text.split(separator, MAX_WORDS)) {
    const word = /^[^\s<>=~(!:][^\s<>=~(]*/.exec(part.trim())?.[0]
    if (word !== undefined) words.push(word.slice(0, MAX_VALUE))
  }
  return words
}
