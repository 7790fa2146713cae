/** Packages found in the tree of an image, and the documents that list them: SPDX and CycloneDX. */
export { findPackages } from "./find-packages.ts"
export { ImageTree, shownPath } from "./image-tree.ts"
export type { FoundPackages } from "./package.ts"
export { sbomPredicate } from "./predicate.ts"
export { SBOM_FORMATS, SBOM_TYPES, type SbomFormat, type SbomSubject } from "./subject.ts"
