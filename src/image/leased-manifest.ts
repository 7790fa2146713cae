import { DataLoss } from "../base/errors.ts"
import type { ContentStore, Lease } from "../content/content.ts"
import type { DiffId } from "../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type ImageConfig, type ImageManifest } from "../spec/oci-image.ts"
import { MAX_CONFIG_BYTES, parseImageConfig } from "../spec/parse-image-config.ts"
import { parseManifest } from "../spec/parse-manifest.ts"
import type { Image } from "./image.ts"

/** The documents of an image, which a lease keeps. */
export interface LeasedManifest {
  bytes: Uint8Array
  mediaType: string
  manifest: ImageManifest
  config: ImageConfig
  diffIds: readonly DiffId[]
}

/** The documents of an image as the store has them. */
export async function readManifest(content: ContentStore, image: Image): Promise<LeasedManifest> {
  const { digest, mediaType } = image.manifest
  const bytes = await content.readAll(digest, MAX_MANIFEST_BYTES)
  const parsed = parseManifest(bytes, mediaType, `manifest of image ${image.id}`)
  if (parsed.kind === "index") throw new DataLoss(`the manifest of image ${image.id} is an index`)
  const config = parseImageConfig(await content.readAll(image.id, MAX_CONFIG_BYTES), `config of image ${image.id}`)
  return { bytes, mediaType: parsed.mediaType, manifest: parsed.manifest, config, diffIds: config.rootfs.diff_ids }
}

/** Reads the documents of an image, and keeps all of it from being removed meanwhile. */
export async function leaseImage(content: ContentStore, lease: Lease, image: Image): Promise<LeasedManifest> {
  for (const digest of [image.manifest.digest, image.id]) lease.addBlob(digest)
  if (image.topLayer !== undefined) lease.addSnapshot(image.topLayer)
  const leased = await readManifest(content, image)
  for (const { digest } of leased.manifest.layers) lease.addBlob(digest)
  return leased
}
