import type { ContentStore } from "../content/content.ts"
import type { Digest } from "../spec/digest.ts"
import {
  attestationManifest,
  IN_TOTO,
  statementOf,
  subjectsOf,
  type Predicate,
  type Statement,
} from "../spec/in-toto.ts"
import { MediaType, type Descriptor } from "../spec/oci-image.ts"
import { parseDocument } from "../spec/parse-document.ts"
import { newDocument, type NewDocument } from "./documents.ts"
import type { Attestation, Image } from "./image.ts"
import { packageUrl } from "./package-url.ts"
import { parseReference } from "./reference.ts"

/** An SBOM of a hundred thousand packages has 60 MB. */
const MAX_STATEMENT_BYTES = 256 * 1024 ** 2
const MAX_STATEMENT_VALUES = 4_000_000

/** The statement that makes `predicate` one of an image. */
export function statementDocument(predicate: Predicate, image: StatementSubject): NewDocument {
  return newDocument(statementOf(predicate, subjects(image)), IN_TOTO.mediaType)
}

/** What a statement is about. */
export interface StatementSubject {
  /** Of the manifest. */
  digest: Digest
  /** Full names with tag. */
  names: readonly string[]
  platform: Image["platform"]
}

/**
 * The documents that attach an attestation to a manifest. Its statement names the manifest as it is in the place where it
 * goes: layers that are compressed on their way give another than the store has. What is said stays byte for byte the same.
 */
export async function attachedTo(
  content: ContentStore,
  attestation: Attestation,
  manifest: Descriptor,
  subject: Omit<StatementSubject, "digest">,
): Promise<{ statement: NewDocument; manifest: NewDocument }> {
  const { predicateType, predicate } = await readStatement(content, attestation)
  const statement = statementDocument({ predicateType, predicate }, { ...subject, digest: manifest.digest })
  const made = attestationManifest({ predicateType, statement: statement.descriptor }, manifest)
  const { descriptor, bytes } = newDocument(made, MediaType.ociManifest)
  const { artifactType = "", annotations = {} } = made
  return { statement, manifest: { bytes, descriptor: { ...descriptor, artifactType, annotations } } }
}

/** Throws DataLoss. */
export async function readStatement(content: ContentStore, { statement }: Attestation): Promise<Statement> {
  const bytes = await content.readAll(statement.digest, MAX_STATEMENT_BYTES)
  return parseDocument(
    bytes,
    MAX_STATEMENT_BYTES,
    `statement ${statement.digest}`,
    MAX_STATEMENT_VALUES,
  ) as unknown as Statement
}

function subjects({ names, digest, platform }: StatementSubject) {
  return subjectsOf(
    names.map((name) => packageUrl(parseReference(name), platform)),
    digest,
  )
}
