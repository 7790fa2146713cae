/** The JSON documents of images: made, and put into the content store. */
import { hash } from "node:crypto"
import type { ContentStore, Lease } from "../content/content.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageConfig, type ImageManifest } from "../spec/oci-image.ts"
import type { Annotations } from "./image.ts"

/** Documents that have been made, and not been stored yet. */
export interface NewDocument {
  bytes: Uint8Array
  descriptor: Descriptor
}

/** A document as JSON, and what describes it. */
export function newDocument(document: unknown, mediaType: string): NewDocument {
  const bytes = Buffer.from(JSON.stringify(document))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}

/** The sha256 digest of bytes at hand. */
export function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${hash("sha256", bytes, "hex")}`)
}

/** Stores it; the lease holds it. */
export async function putDocument(
  content: ContentStore,
  lease: Lease,
  { bytes, descriptor }: NewDocument,
): Promise<Descriptor> {
  lease.addBlob(descriptor.digest)
  await content.put(bytes)
  return descriptor
}

/** What an image is made of. */
export interface ImageContents {
  config: ImageConfig
  layers: readonly Descriptor[]
  format: "oci" | "docker"
  annotations?: Annotations
}

/** Stores config and manifest of an image; gives also all blobs that it consists of. */
export async function putImage(
  content: ContentStore,
  lease: Lease,
  { config, layers, format, annotations }: ImageContents,
): Promise<{ config: Descriptor; manifest: Descriptor; blobs: Digest[] }> {
  const types = TYPES[format]
  const configBlob = await putDocument(content, lease, newDocument(config, types.config))
  const document: ImageManifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: configBlob,
    layers: layers.map((layer) => inFormat(layer, format)),
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
  }
  const manifest = await putDocument(content, lease, newDocument(document, types.manifest))
  return {
    config: configBlob,
    manifest,
    blobs: [manifest.digest, configBlob.digest, ...layers.map(({ digest }) => digest)],
  }
}

const TYPES = {
  oci: { config: MediaType.ociConfig, manifest: MediaType.ociManifest },
  docker: { config: MediaType.dockerConfig, manifest: MediaType.dockerManifest },
} as const

/** A base image may come in the other format; its bytes are the same (image-spec media-types.md#compatibility-matrix). */
function inFormat({ mediaType, digest, size }: Descriptor, format: ImageContents["format"]): Descriptor {
  const pair = LAYER_TYPES.find((types) => types.includes(mediaType))
  return { mediaType: pair?.[format === "oci" ? 0 : 1] ?? mediaType, digest, size }
}

const LAYER_TYPES: readonly (readonly [oci: string, docker: string])[] = [
  [MediaType.ociLayer, MediaType.dockerLayer],
  [MediaType.ociLayerGzip, MediaType.dockerLayerGzip],
]
