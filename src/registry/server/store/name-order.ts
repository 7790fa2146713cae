import { byCodeUnit } from "../../../base/by-code-unit.ts"

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
    .toSorted((one, other) => byCodeUnit(one.key, other.key))
}
