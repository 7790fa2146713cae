/** Answers about manifests (distribution-spec, "Pulling manifests", "Pushing Manifests", "Listing Referrers"). */
import { createHash } from "node:crypto"
import { isSkiffError } from "../../base/errors.ts"
import { digestAlgorithm, parseDigest, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { emptyAnswer, jsonAnswer, RegistryError } from "./answers.ts"
import { manifestContent } from "./manifest-content.ts"
import { digest as readDigest } from "./route.ts"
import type { ManifestReference, RegistryStore, RegistryWrites } from "./server.ts"

/** What the answers stand on. */
export interface ManifestRequest {
  store: RegistryStore
  request: Request
  url: URL
  repository: string
  reference: ManifestReference
}

/** GET and HEAD. */
export async function getManifest({ store, request, repository, reference }: ManifestRequest): Promise<Response> {
  const found = await store.manifest(repository, reference)
  if (found === undefined) {
    if (!(await store.has(repository))) throw unknownName(repository)
    throw new RegistryError("MANIFEST_UNKNOWN", "no such manifest in this repository", reference)
  }
  const { descriptor, bytes } = found
  const headers = {
    "Content-Type": descriptor.mediaType,
    "Content-Length": String(bytes.length),
    "Docker-Content-Digest": descriptor.digest,
    ETag: `"${descriptor.digest}"`,
    "X-Content-Type-Options": "nosniff",
  }
  if (request.headers.get("If-None-Match")?.includes(descriptor.digest))
    return new Response(null, { status: 304, headers })
  return new Response(request.method === "HEAD" ? null : bytes, { headers })
}

/** PUT. */
export async function putManifest(given: ManifestRequest & { writes: RegistryWrites }): Promise<Response> {
  const { writes, request, url, repository, reference } = given
  const bytes = await wholeBody(request)
  const asked = "digest" in reference ? reference.digest : url.searchParams.get("digest")
  const digest = asked ? checkedDigest(bytes, readDigest(asked)) : digestOf(bytes, "sha256")
  const { mediaType, needed } = manifestContent(bytes, request.headers.get("Content-Type") ?? "", digest)
  const descriptor = { mediaType, digest, size: bytes.length }
  const tag = "tag" in reference ? reference.tag : undefined
  try {
    await writes.putManifest(repository, { descriptor, bytes, needed, ...(tag !== undefined && { tag }) })
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    throw new RegistryError("MANIFEST_BLOB_UNKNOWN", error.message, error.data.digests)
  }
  return emptyAnswer(201, {
    Location: `/v2/${repository}/manifests/${tag ?? digest}`,
    "Docker-Content-Digest": digest,
    ...(needed.referrer !== undefined && { "OCI-Subject": needed.referrer.subject }),
    ...(tag !== undefined && asked && { "OCI-Tag": tag }),
  })
}

/** DELETE: a tag alone, or a manifest with its tags. */
export async function deleteManifest(given: ManifestRequest & { writes: RegistryWrites }): Promise<Response> {
  const { writes, repository, reference, store } = given
  const isGone =
    "tag" in reference
      ? await writes.deleteTag(repository, reference.tag)
      : await writes.deleteManifest(repository, reference.digest)
  if (isGone) return emptyAnswer(202)
  if (!(await store.has(repository))) throw unknownName(repository)
  throw new RegistryError("MANIFEST_UNKNOWN", "no such manifest in this repository", reference)
}

/** GET of referrers, of one type where that is asked for. */
export async function getReferrers(
  store: RegistryStore,
  url: URL,
  { repository, digest }: { repository: string; digest: Digest },
): Promise<Response> {
  const type = url.searchParams.get("artifactType")
  const all = await store.referrers(repository, digest)
  const manifests: Descriptor[] = type ? all.filter(({ artifactType }) => artifactType === type) : all
  return jsonAnswer(
    { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests },
    { type: MediaType.ociIndex, headers: type ? { "OCI-Filters-Applied": "artifactType" } : {} },
  )
}

/** No more of it is kept than a manifest may have. Throws RegistryError. */
async function wholeBody(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > MAX_MANIFEST_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): RegistryError {
  return new RegistryError("SIZE_INVALID", `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`)
}

function digestOf(bytes: Uint8Array, algorithm: string): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`)
}

function checkedDigest(bytes: Uint8Array, digest: Digest): Digest {
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) return digest
  throw new RegistryError("DIGEST_INVALID", "the manifest has another digest", { digest })
}

function unknownName(repository: string): RegistryError {
  return new RegistryError("NAME_UNKNOWN", "no such repository", { name: repository })
}
