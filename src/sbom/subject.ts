/** As `--sbom` and `--attest type=sbom` name them; `cyclonedx` is its newest version here, 1.6. */
export const SBOM_FORMATS = ["spdx", "cyclonedx", "cyclonedx-1.5"] as const
/** One of `SBOM_FORMATS`. */
export type SbomFormat = (typeof SBOM_FORMATS)[number]

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
