/** Packages found in the tree of an image, and the documents that list them: SPDX and CycloneDX. */
import type { Predicate } from "../spec/in-toto.ts"
import { cyclonedxDocument } from "./cyclonedx.ts"
import type { FoundPackages } from "./package.ts"
import { spdxDocument } from "./spdx.ts"

export const SBOM_FORMATS = ["spdx", "cyclonedx", "cyclonedx-1.5"] as const
export type SbomFormat = (typeof SBOM_FORMATS)[number]

export { findPackages } from "./find-packages.ts"
export { ImageTree, shownPath } from "./image-tree.ts"
export type { FoundPackages } from "./package.ts"

/** What an SBOM is about. */
export interface SbomSubject {
  /** The image's, as people call it. */
  name: string
  /** Where it has a name in a registry. */
  purl?: string
  /** RFC 3339. */
  createdAt: string
}

/** in-toto attestation spec, predicates: SPDX and CycloneDX. */
export const SBOM_TYPES = { spdx: "https://spdx.dev/Document", cyclonedx: "https://cyclonedx.org/bom" } as const

export function sbomPredicate(format: SbomFormat, found: FoundPackages, subject: SbomSubject): Predicate {
  if (format === "spdx") return { predicateType: SBOM_TYPES.spdx, predicate: spdxDocument(found, subject) }
  const specVersion = format === "cyclonedx-1.5" ? "1.5" : "1.6"
  return { predicateType: SBOM_TYPES.cyclonedx, predicate: cyclonedxDocument(found, subject, specVersion) }
}
