/** The specification's order of names: that of their bytes. */
export function byCodePoint(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/**
 * The steps of a walk through directories of these names that comes past all names of repositories in their order: `a`, `a-b`, `a/c`. What is below a
 * directory comes after others that begin with its name.
 */
export function walkSteps(names: readonly string[]): { name: string; isBelow: boolean }[] {
  return names
    .flatMap((name) => [
      { name, isBelow: false, key: name },
      { name, isBelow: true, key: `${name}/` },
    ])
    .toSorted((one, other) => byCodePoint(one.key, other.key))
}
