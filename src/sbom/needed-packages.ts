import { isOfSystem, type Package } from "./package.ts"

/**
 * Tells which others a package needs, as positions in `packages`: of a system's all, of a language's those of the same file. Of several versions of
 * one in a file nobody knows which is meant: none is told.
 */
export function neededPackages(packages: readonly Package[]): (each: Package) => readonly number[] {
  const positions = new Map<string, number>()
  const unclear = new Set<string>()
  for (const [index, each] of packages.entries()) {
    const key = keyOf(each, each.name)
    if (!positions.has(key)) positions.set(key, index)
    else if (!isOfSystem(each)) unclear.add(key)
  }
  return (each) =>
    (each.dependsOn ?? []).flatMap((name) => {
      const key = keyOf(each, name)
      return unclear.has(key) ? [] : (positions.get(key) ?? [])
    })
}

function keyOf(each: Package, name: string): string {
  return [each.type, isOfSystem(each) ? "" : each.foundIn, name].join("\0")
}
