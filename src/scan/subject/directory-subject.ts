import { findPackages, ImageTree, type FoundPackages } from "../../sbom/sbom.ts"
import type { ScanOptions, ScanSubject } from "../scan.ts"

/** The files below a host directory: a project, or the root of a system. Its lock files are read, beside what is installed. */
export function directorySubject(path: string, name: string, options: ScanOptions): ScanSubject {
  const tree = new ImageTree(path)
  let found: FoundPackages | undefined
  return {
    kind: "directory",
    name,
    path,
    layers: [],
    tree,
    packages: () => (found ??= findPackages(path, { ...options, isProject: true })),
    layerOf: () => undefined,
    [Symbol.dispose]: () => tree[Symbol.dispose](),
  }
}
