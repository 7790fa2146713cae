import { DataLoss } from "../base/errors.ts"
import { digestAlgorithm, digestHex } from "../spec/digest.ts"
import { IN_TOTO } from "../spec/in-toto.ts"
import type { Descriptor, ImageIndex } from "../spec/oci-image.ts"
import { parseDocument } from "../spec/parse-document.ts"
import type { DocumentStore } from "./document-store.ts"
import type { Attestation } from "./image.ts"
import { ATTESTATION_ENTRY } from "./make-index.ts"

const MAX_ATTESTATIONS = 16
const MAX_STATEMENT_BYTES = 64 * 1024 ** 2
/** A bill of materials of a large image has some hundred thousand. */
const MAX_STATEMENT_VALUES = 1_000_000
const MAX_TYPE_CHARACTERS = 200

/**
 * What an index says is attested of one of its manifests, brought into the store. A statement goes out again with the image,
 * made one of the manifest that is sent: so it must be about this one. Throws DataLoss.
 */
export async function fetchAttestations(
  documents: DocumentStore,
  index: ImageIndex,
  subject: Descriptor,
): Promise<Attestation[]> {
  const entries = index.manifests.filter(
    ({ annotations = {} }) =>
      annotations[ATTESTATION_ENTRY.type] === ATTESTATION_ENTRY.manifest &&
      annotations[ATTESTATION_ENTRY.digest] === subject.digest,
  )
  const found = new Map<string, Attestation>()
  for (const entry of entries.slice(0, MAX_ATTESTATIONS)) {
    const parsed = await documents.manifest(entry)
    const layers = parsed.kind === "manifest" ? parsed.manifest.layers : []
    for (const layer of layers.filter(({ mediaType }) => mediaType === IN_TOTO.mediaType).slice(0, MAX_ATTESTATIONS)) {
      const attestation = await fetchStatement(documents, layer, subject)
      found.set(attestation.predicateType, attestation)
    }
  }
  return [...found.values()]
}

async function fetchStatement(documents: DocumentStore, layer: Descriptor, subject: Descriptor): Promise<Attestation> {
  const { mediaType, digest, size } = layer
  const what = `statement ${digest}`
  const document = parseDocument(
    await documents.blob(layer, MAX_STATEMENT_BYTES),
    MAX_STATEMENT_BYTES,
    what,
    MAX_STATEMENT_VALUES,
  )
  const { predicateType } = document
  if (typeof predicateType !== "string" || predicateType === "" || predicateType.length > MAX_TYPE_CHARACTERS)
    throw new DataLoss(`${what} has no type of predicate`)
  if (!isAbout(document.subject, subject))
    throw new DataLoss(`${what} is not about manifest ${subject.digest}, which it is attached to`, {
      hint: "do not trust this image",
    })
  return { predicateType, statement: { mediaType, digest, size } }
}

function isAbout(subjects: unknown, { digest }: Descriptor): boolean {
  if (!Array.isArray(subjects)) return false
  const [algorithm, hex] = [digestAlgorithm(digest), digestHex(digest)]
  return subjects.some((each: { digest?: Record<string, unknown> } | null) => each?.digest?.[algorithm] === hex)
}
