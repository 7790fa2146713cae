import type { Predicate } from "../spec/in-toto.ts"
import type { SbomFormat } from "../build/build.ts"
import { cyclonedxDocument } from "./cyclonedx.ts"
import type { FoundPackages } from "./package.ts"
import { spdxDocument } from "./spdx.ts"

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
