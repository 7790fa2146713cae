/** What a manifest that is pushed says of other content (image-spec manifest.md, image-index.md). Pure. */
import { isDigest, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { parseDocument } from "../../spec/parse-document.ts"
import { RegistryError } from "./answers.ts"
import type { NeededContent } from "./server.ts"

const INDEX_TYPES: ReadonlySet<string> = new Set([MediaType.ociIndex, MediaType.dockerList])
const MANIFEST_TYPES: ReadonlySet<string> = new Set([MediaType.ociManifest, MediaType.dockerManifest])
/** Of a document with more, somebody wants the time of who reads it. */
const MAX_DESCRIPTORS = 10_000
const MAX_ANNOTATION_BYTES = 64 * 1024

/** A manifest's media type, and what must be there for it. */
export interface ManifestContent {
  mediaType: string
  needed: NeededContent
}

/**
 * Reads a manifest or an index. Its children an index may lack: each is asked for by itself, and a part of an image's platforms is an image.
 * Throws RegistryError for what is neither, or both at once (CVE-2021-41190), or not what `Content-Type` says.
 */
export function manifestContent(bytes: Uint8Array, contentType: string, digest: Digest): ManifestContent {
  const document = parsed(bytes)
  const declared = contentType.split(";")[0]?.trim() ?? ""
  const mediaType = typeof document.mediaType === "string" ? document.mediaType : declared
  if (declared !== "" && declared !== mediaType)
    throw invalid(
      `the manifest says that it is "${mediaType.slice(0, 200)}", and was sent as "${declared.slice(0, 200)}"`,
    )
  const isIndex = INDEX_TYPES.has(mediaType)
  if (!isIndex && !MANIFEST_TYPES.has(mediaType)) throw invalid(`"${mediaType.slice(0, 200)}" is no manifest`)
  if (document.schemaVersion !== 2) throw invalid("the manifest has no schemaVersion 2")
  if ("manifests" in document === ("layers" in document || "config" in document))
    throw invalid("the document is a manifest and an index at once, or neither")
  if ("manifests" in document !== isIndex) throw invalid(`the document is not of the type "${mediaType}"`)
  const listed = isIndex ? descriptors(document.manifests, "manifests") : []
  const own = isIndex ? [] : [descriptor(document.config, "config"), ...descriptors(document.layers ?? [], "layers")]
  const self = { mediaType, digest, size: bytes.length }
  return {
    mediaType,
    needed: { blobs: blobsOf(own), children: listed.map((one) => one.digest), ...referrerOf(document, self) },
  }
}

/** Layers of elsewhere are not here. */
function blobsOf(own: readonly Descriptor[]): Digest[] {
  return [...new Set(own.filter(({ urls }) => !(urls?.length ?? 0)).map((one) => one.digest))]
}

function referrerOf(document: Record<string, unknown>, self: Descriptor): Pick<NeededContent, "referrer"> {
  if (document.subject === undefined || document.subject === null) return {}
  const subject = descriptor(document.subject, "subject").digest
  const { artifactType, config, annotations } = document
  // of an image without one, its config's type stands for it
  const configType = (config as { mediaType?: unknown } | undefined)?.mediaType
  const type = typeof artifactType === "string" && artifactType !== "" ? artifactType : configType
  return {
    referrer: {
      subject,
      descriptor: {
        ...self,
        ...(typeof type === "string" && { artifactType: type }),
        ...(isStringRecord(annotations) && { annotations }),
      },
    },
  }
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    return parseDocument(bytes, MAX_MANIFEST_BYTES, "manifest")
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause))
  }
}

function descriptors(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value) || value.length > MAX_DESCRIPTORS) throw invalid(`"${where}" is no list of descriptors`)
  return value.map((one, index) => descriptor(one, `${where}[${index}]`))
}

function descriptor(value: unknown, where: string): Descriptor {
  const { digest, size, mediaType, urls } = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (!isDigest(digest)) throw new RegistryError("MANIFEST_INVALID", `"${where}" has no valid digest`)
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw invalid(`"${where}" has no valid size`)
  return {
    digest,
    size: size as number,
    mediaType: typeof mediaType === "string" ? mediaType : "",
    ...(Array.isArray(urls) && { urls: urls.filter((url) => typeof url === "string") }),
  }
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    JSON.stringify(value).length <= MAX_ANNOTATION_BYTES &&
    Object.values(value).every((text) => typeof text === "string")
  )
}

function invalid(message: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", message)
}
