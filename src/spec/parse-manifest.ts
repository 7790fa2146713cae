import * as v from "valibot"
import { DataLoss, Unsupported } from "../base/errors.ts"
import { isDigest, type Digest } from "./digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type ImageIndex, type ImageManifest } from "./oci-image.ts"
import { absent, atMost, checkDocument, parseDocument } from "./parse-document.ts"

const MAX_INDEX_ENTRIES = 1_000
const MAX_LAYERS = 500
const MAX_ANNOTATIONS = 1_000
const MAX_URLS = 100

/** An index may name another; images in the wild go two deep. */
export const MAX_INDEX_DEPTH = 3

/** Whether a manifest with such a config is an image, and not an artifact that travels like one. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === MediaType.ociConfig || mediaType === MediaType.dockerConfig
}

/** Either of the two documents that a reference may lead to. */
export type ParsedManifest =
  | { kind: "manifest"; mediaType: string; manifest: ImageManifest }
  | { kind: "index"; mediaType: string; index: ImageIndex }

const INDEX_TYPES: readonly string[] = [MediaType.ociIndex, MediaType.dockerList]
const MANIFEST_TYPES: readonly string[] = [MediaType.ociManifest, MediaType.dockerManifest]
// servers that know no better; the body then says what it is
const UNTYPED = new Set(["", "application/json", "application/octet-stream", "text/plain"])

/** Every form of manifest that we read, for an Accept header. */
export const ACCEPTED_MANIFESTS: readonly string[] = [...INDEX_TYPES, ...MANIFEST_TYPES]

const digest = v.custom<Digest>(isDigest, "expected sha256:<64 hex digits>")
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const annotations = absent(v.pipe(v.record(v.string(), v.string()), atMost(MAX_ANNOTATIONS, "annotations")))

const platform = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: absent(v.string()),
  "os.version": absent(v.string()),
})

const descriptor = v.object({
  mediaType: v.string(),
  digest,
  size,
  platform: absent(platform),
  annotations,
  urls: absent(v.pipe(v.array(v.string()), atMost(MAX_URLS, "urls"))),
  artifactType: absent(v.string()),
})

const manifestSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: absent(v.string()),
  artifactType: absent(v.string()),
  config: descriptor,
  layers: v.pipe(v.array(descriptor), v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`)),
  subject: absent(descriptor),
  annotations,
})

const indexSchema = v.object({
  schemaVersion: v.literal(2),
  mediaType: absent(v.string()),
  manifests: v.pipe(v.array(descriptor), v.maxLength(MAX_INDEX_ENTRIES, `more than ${MAX_INDEX_ENTRIES} entries`)),
  annotations,
})

/**
 * Parses a manifest or an index. `contentType` is what the source called it; the body must not call it otherwise, and
 * must not be both (CVE-2021-41190: one document, read as either, gives two images for one digest).
 * Throws DataLoss on garbage, Unsupported on Docker's schema 1 and on what is no image; `what` names it in the message.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined, what = "manifest"): ParsedManifest {
  const declared = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? ""
  if (declared.startsWith("application/vnd.docker.distribution.manifest.v1+")) throw schema1(what)
  const document = parseDocument(bytes, MAX_MANIFEST_BYTES, what)
  if (document.schemaVersion === 1) throw schema1(what)
  if ("layers" in document && "manifests" in document)
    throw new DataLoss(`${what} is a manifest and an index at once`, { hint: "do not trust this image" })

  const inBody = typeof document.mediaType === "string" ? document.mediaType : undefined
  if (inBody !== undefined && !UNTYPED.has(declared) && inBody !== declared)
    throw new DataLoss(`${what} says that it is "${inBody.slice(0, 200)}", but was sent as "${declared.slice(0, 200)}"`)
  const guessed = "manifests" in document ? MediaType.ociIndex : MediaType.ociManifest
  const mediaType = UNTYPED.has(declared) ? (inBody ?? guessed) : declared

  if (INDEX_TYPES.includes(mediaType))
    return { kind: "index", mediaType, index: checkDocument(indexSchema, document, what) }
  if (MANIFEST_TYPES.includes(mediaType))
    return { kind: "manifest", mediaType, manifest: checkDocument(manifestSchema, document, what) }
  throw new Unsupported(`${what} is of type "${mediaType.slice(0, 200)}", which is no image`)
}

function schema1(what: string): Unsupported {
  return new Unsupported(`${what} uses Docker's schema 1, which is no longer supported`, {
    hint: "push the image again with a current tool, then pull it",
  })
}
