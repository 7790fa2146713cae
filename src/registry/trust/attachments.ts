/**
 * Sigstore's signatures of an image, in its own repository: as layers of a manifest that the tag `sha256-HEX.sig` leads to (cosign's
 * scheme, and containers/image's), or of manifests that refer to the image (distribution spec, "Referrers").
 */
import { createHash } from "node:crypto"
import { DataLoss, isSkiffError } from "../../base/errors.ts"
import { digestAlgorithm, digestHex, parseDigest, type Digest } from "../../spec/digest.ts"
import { MediaType, type Descriptor, type ImageManifest } from "../../spec/oci-image.ts"
import { parseManifest } from "../../spec/parse-manifest.ts"
import type { RegistrySource, RegistryTarget, RemoteReference } from "../registry.ts"
import { MAX_SIGNATURES } from "./lookaside.ts"
import { MAX_PAYLOAD_BYTES } from "./payload.ts"
import type { SigstoreSignature } from "./signature.ts"

/** Of the blob that a signature signs. */
const SIGNATURE_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
/** Artifacts that hold such layers. */
const ARTIFACT_TYPE = "application/vnd.dev.cosign.artifact.sig.v1+json"
/** Those of cosign 3: they name a digest, but no repository. */
const BUNDLE_TYPE = /^application\/vnd\.dev\.sigstore\.bundle\b/

/** What was found, and what cannot be looked into. */
export interface Attached {
  signatures: SigstoreSignature[]
  bundles: number
}

/** `sha256-HEX.sig`: where cosign keeps the signatures of a manifest. */
export function signatureTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}.sig`
}

/** All that is attached to a manifest. Throws DataLoss for more than anybody attaches, and as `RegistrySource` does. */
export async function readAttachments(source: RegistrySource, ref: RemoteReference, digest: Digest): Promise<Attached> {
  const { registry, repository } = ref
  const at = { registry, repository }
  const tagged = await tolerant(source.resolve({ ...at, tag: signatureTag(digest) }))
  const layers = tagged === undefined ? [] : layersOf(tagged.bytes, tagged.descriptor.mediaType, ref)
  const referrers = (await tolerant(source.referrers(ref, digest))) ?? []
  const artifacts = referrers.filter(({ artifactType }) => artifactType === ARTIFACT_TYPE)
  if (artifacts.length > MAX_SIGNATURES) throw tooMany(ref)
  for (const artifact of artifacts) {
    const { bytes, descriptor } = await source.resolve({ ...at, digest: artifact.digest })
    layers.push(...layersOf(bytes, descriptor.mediaType, ref))
  }
  if (layers.length > MAX_SIGNATURES) throw tooMany(ref)
  const signatures: SigstoreSignature[] = []
  for (const layer of layers) {
    const payload = await blobOf(source, ref, layer)
    signatures.push({ payload, annotations: layer.annotations ?? {} })
  }
  const bundles = referrers.filter(({ artifactType }) => BUNDLE_TYPE.test(artifactType ?? "")).length
  return { signatures, bundles }
}

/**
 * Adds a signature beside those that are there. `isSame` tells of the annotations of one with the same payload whether it makes this one
 * superfluous.
 */
export async function attachSignature(
  target: RegistryTarget,
  ref: RemoteReference,
  digest: Digest,
  { payload, annotations }: SigstoreSignature,
  isSame: (annotations: SigstoreSignature["annotations"]) => boolean,
): Promise<void> {
  const tag = signatureTag(digest)
  const held = await target.manifestAt(tag)
  const others = held === undefined ? [] : manifestOf(held, "", ref).layers
  const layer = { ...describe(SIGNATURE_TYPE, payload), annotations: { ...annotations } }
  if (others.some((each) => each.digest === layer.digest && isSame(each.annotations ?? {}))) return
  const layers = [...others, layer]
  if (layers.length > MAX_SIGNATURES) throw tooMany(ref)
  // diff ids and layers are the same bytes; an image's config is what registries and older tools expect
  const rootfs = { type: "layers", diff_ids: layers.map((each) => each.digest) }
  const config = Buffer.from(JSON.stringify({ architecture: "", os: "", config: {}, rootfs }))
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: describe(MediaType.ociConfig, config),
    layers,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await target.upload(layer, (offset) => once(payload.subarray(offset)))
  await target.upload(manifest.config, (offset) => once(config.subarray(offset)))
  await target.putManifest(bytes, describe(MediaType.ociManifest, bytes), tag)
}

function layersOf(bytes: Uint8Array, mediaType: string, ref: RemoteReference): Descriptor[] {
  const found = manifestOf(bytes, mediaType, ref).layers.filter((layer) => layer.mediaType === SIGNATURE_TYPE)
  if (found.length > MAX_SIGNATURES) throw tooMany(ref)
  return found
}

function manifestOf(bytes: Uint8Array, mediaType: string, { registry, repository }: RemoteReference): ImageManifest {
  const parsed = parseManifest(bytes, mediaType, `manifest of signatures in ${registry}/${repository}`)
  if (parsed.kind === "manifest") return parsed.manifest
  throw new DataLoss(`the signatures in ${registry}/${repository} are an index, not a manifest`)
}

function tooMany({ registry, repository }: RemoteReference): DataLoss {
  return new DataLoss(`${registry}/${repository} has more than ${MAX_SIGNATURES} signatures of one image`)
}

async function blobOf(source: RegistrySource, ref: RemoteReference, layer: Descriptor): Promise<Uint8Array> {
  const what = `signature ${layer.digest} in ${ref.registry}/${ref.repository}`
  if (layer.size > MAX_PAYLOAD_BYTES) throw new DataLoss(`${what} has ${layer.size} bytes`)
  const { bytes } = await source.fetch(ref, layer)
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  const whole = Buffer.concat(chunks)
  const algorithm = digestAlgorithm(layer.digest)
  if (createHash(algorithm).update(whole).digest("hex") !== digestHex(layer.digest))
    throw new DataLoss(`${what} has other bytes than its digest says`)
  return whole
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  const hex = createHash("sha256").update(bytes).digest("hex")
  return { mediaType, digest: parseDigest(`sha256:${hex}`), size: bytes.length }
}

async function tolerant<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
