import { findPackages } from "../sbom/sbom.ts"
import type { LayerPackages } from "./explore.ts"
import type { SourceLayer } from "./source/source.ts"

/**
 * The packages that each layer brought: those that its own files tell of, and those of no layer below. A database of packages is a file, so a
 * layer that installs one has the whole of it.
 */
export function packagesOf(layers: readonly SourceLayer[]): LayerPackages[] {
  const seen = new Set<string>()
  return layers.map(({ directory }, layer) => {
    const found = directory === undefined ? [] : findPackages(directory()).packages
    const fresh = found.filter(({ type, name, version }) => {
      const key = `${type} ${name} ${version}`
      return !seen.has(key) && seen.add(key)
    })
    return { layer, packages: fresh.map(({ type, name, version }) => ({ type, name, version })) }
  })
}
