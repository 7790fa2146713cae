import type { Predicate } from "../spec/in-toto.ts"
import { cyclonedxDocument } from "./cyclonedx.ts"
import type { FoundPackages } from "./package.ts"
import { SBOM_TYPES, type SbomFormat, type SbomSubject } from "./subject.ts"
import { spdxDocument } from "./spdx.ts"

/** The document on `found` as an in-toto predicate; equal input gives equal bytes. */
export function sbomPredicate(format: SbomFormat, found: FoundPackages, subject: SbomSubject): Predicate {
  if (format === "spdx") return { predicateType: SBOM_TYPES.spdx, predicate: spdxDocument(found, subject) }
  const specVersion = format === "cyclonedx-1.5" ? "1.5" : "1.6"
  return { predicateType: SBOM_TYPES.cyclonedx, predicate: cyclonedxDocument(found, subject, specVersion) }
}
