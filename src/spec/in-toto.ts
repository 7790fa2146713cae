/** Statements of the in-toto attestation framework (v1), and how OCI artifacts carry them. Pure data. */
import type { Digest } from "./digest.ts"
import { digestAlgorithm, digestHex } from "./digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "./oci-image.ts"

/** What is said of a subject: an SBOM, a build's provenance. */
export interface Predicate {
  /** A URI: `https://spdx.dev/Document`. */
  predicateType: string
  predicate: unknown
}

/** What a statement is about: a name and the digests of its bytes. */
export interface Subject {
  name: string
  /** By algorithm: `{ sha256: "ab…" }`. */
  digest: Record<string, string>
}

/** A predicate with its subjects, as it is stored and signed. */
export interface Statement extends Predicate {
  _type: "https://in-toto.io/Statement/v1"
  subject: readonly Subject[]
}

/** Media type and annotation by which registries list statements. */
export const IN_TOTO = {
  mediaType: "application/vnd.in-toto+json",
  /** Of a layer, and for `referrers` of the whole artifact (buildkit docs/attestations/attestation-storage.md). */
  predicateType: "in-toto.io/predicate-type",
} as const

/** image-spec manifest.md#guidance-for-an-empty-descriptor */
export const EMPTY_DOCUMENT: { bytes: Uint8Array; descriptor: Descriptor } = {
  bytes: Buffer.from("{}"),
  descriptor: {
    mediaType: "application/vnd.oci.empty.v1+json",
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" as Digest,
    size: 2,
  },
}

/** Says `predicate` of each subject. Pure. */
export function statementOf({ predicateType, predicate }: Predicate, subject: readonly Subject[]): Statement {
  return { _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate }
}

/** `_` where nothing has a name (in-toto attestation spec, "Statement"). */
export function subjectsOf(names: readonly string[], digest: Digest): Subject[] {
  const value = { [digestAlgorithm(digest)]: digestHex(digest) }
  return (names.length === 0 ? ["_"] : names).map((name) => ({ name, digest: value }))
}

/** The manifest of an artifact that attaches a statement to `subject` (image-spec manifest.md#guidelines-for-artifact-usage). */
export function attestationManifest(
  { predicateType, statement }: { predicateType: string; statement: Descriptor },
  { mediaType, digest, size }: Descriptor,
): ImageManifest {
  const annotations = { [IN_TOTO.predicateType]: predicateType }
  return {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType: IN_TOTO.mediaType,
    config: EMPTY_DOCUMENT.descriptor,
    layers: [{ mediaType: IN_TOTO.mediaType, digest: statement.digest, size: statement.size, annotations }],
    subject: { mediaType, digest, size },
    annotations,
  }
}
