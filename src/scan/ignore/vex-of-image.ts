import { createHash } from "node:crypto"
import { isSkiffError, Unavailable } from "../../base/errors.ts"
import type { Images } from "../../image/image.ts"
import type { Registries, RegistrySource, RemoteReference } from "../../registry/registry.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import { parseReference } from "../../spec/reference.ts"
import type { ScanOptions, ScanSubject } from "../scan.ts"
import type { IgnoreRule } from "./rules.ts"
import { parseVex } from "./vex.ts"

/** A VEX document has some hundred kilobytes. */
const MAX_DOCUMENT_BYTES = 16 * 1024 ** 2
/** Of one image. */
const MAX_DOCUMENTS = 50
const PREDICATE = /openvex|csaf|cyclonedx/i
/** What an attached artifact may call itself: VEX in its own form, or a statement that has it. */
const ARTIFACT = /vex|csaf|cyclonedx|in-toto|dsse|sigstore|cosign/i
const LAYER = /json|dsse|in-toto/i

/** What VEX documents of an image are looked for with. */
export interface VexDeps {
  images(): Promise<Images>
  registries(): Promise<Registries>
}

/**
 * The VEX documents that are attached to an image: attestations that came with it, and, unless offline, what its registry says refers to it
 * (OCI referrers, and cosign's tag `.att`). Throws Unavailable where a registry cannot be asked, PermissionDenied.
 */
export async function vexOfImage(subject: ScanSubject, options: ScanOptions, deps: VexDeps): Promise<IgnoreRule[]> {
  const { image } = subject
  if (image === undefined) return []
  const rules = await ofAttestations(image.id, deps)
  if (options.isOffline) return rules
  const source = await (
    await deps.registries()
  ).open({ ...options.registry, ...(options.signal && { signal: options.signal }) })
  for (const name of image.digests) {
    const ref = parseReference(name)
    if (ref.digest === undefined) continue
    for (const manifest of await attachedTo(source, ref, ref.digest))
      for (const rule of await ofArtifact(source, ref, manifest)) rules.push(rule)
  }
  return rules
}

async function ofAttestations(id: Digest, deps: VexDeps): Promise<IgnoreRule[]> {
  const images = await deps.images()
  const image = images.find(id)
  const rules: IgnoreRule[] = []
  for (const attestation of image === undefined ? [] : images.attestations(image).slice(0, MAX_DOCUMENTS)) {
    if (!PREDICATE.test(attestation.predicateType)) continue
    const { predicate } = await images.statement(attestation)
    rules.push(...rulesOf(JSON.stringify(predicate), `attestation ${attestation.statement.digest}`))
  }
  return rules
}

async function attachedTo(source: RegistrySource, ref: RemoteReference, subject: Digest): Promise<Descriptor[]> {
  const listed = await source.referrers(ref, subject)
  const found = listed.filter(({ artifactType, mediaType }) => ARTIFACT.test(artifactType ?? mediaType))
  // cosign has kept its attestations under a tag before there was a list
  const tag = `${digestAlgorithm(subject)}-${digestHex(subject)}.att`
  try {
    found.push((await source.resolve({ registry: ref.registry, repository: ref.repository, tag })).descriptor)
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  return found.slice(0, MAX_DOCUMENTS)
}

async function ofArtifact(source: RegistrySource, ref: RemoteReference, { digest }: Descriptor): Promise<IgnoreRule[]> {
  const { bytes, descriptor } = await source.resolve({ registry: ref.registry, repository: ref.repository, digest })
  const parsed = parseManifest(bytes, descriptor.mediaType)
  if (parsed.kind !== "manifest") return []
  const { layers } = parsed.manifest
  const rules: IgnoreRule[] = []
  for (const layer of layers.slice(0, MAX_DOCUMENTS)) {
    if (!LAYER.test(layer.mediaType) || layer.size > MAX_DOCUMENT_BYTES) continue
    const text = (await readBlob(source, ref, layer)).toString("utf8")
    for (const rule of rulesOf(text, `${ref.registry}/${ref.repository}@${layer.digest}`)) rules.push(rule)
  }
  return rules
}

/** Throws Unavailable where the registry sends other bytes. */
async function readBlob(source: RegistrySource, ref: RemoteReference, blob: Descriptor): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (await source.fetch(ref, blob)).bytes) {
    size += chunk.length
    if (size > blob.size) break
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const algorithm = digestAlgorithm(blob.digest)
  if (createHash(algorithm).update(bytes).digest("hex") !== digestHex(blob.digest))
    throw new Unavailable(`${ref.registry} sent other bytes than those of "${blob.digest}"`)
  return bytes
}

/** Of VEX itself, of an in-toto statement, or of an envelope (DSSE) with one. What is neither says nothing. */
function rulesOf(text: string, source: string): IgnoreRule[] {
  try {
    return parseVex(JSON.stringify(innermost(JSON.parse(text))), source)
  } catch {
    // an attestation of another kind
    return []
  }
}

function innermost(document: unknown): unknown {
  if (typeof document !== "object" || document === null) return document
  const { payload, predicate, dsseEnvelope } = document as Record<string, unknown>
  if (typeof payload === "string") return innermost(JSON.parse(Buffer.from(payload, "base64").toString("utf8")))
  if (dsseEnvelope !== undefined) return innermost(dsseEnvelope)
  if (typeof predicate === "object" && predicate !== null) {
    // cosign wraps what is no object of its own
    const { Data: data } = predicate as Record<string, unknown>
    return typeof data === "string" ? innermost(JSON.parse(data)) : (data ?? predicate)
  }
  return document
}
