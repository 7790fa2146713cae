import { hash } from "node:crypto"
import { crashPoint } from "../base/crash-point.ts"
import { chainIds } from "../spec/chain-id.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageIndex, type ImageManifest } from "../spec/oci-image.ts"
import type { Image, RecordImageOptions } from "./image.ts"
import { parseTime } from "./image-history.ts"
import type { ImagesDeps } from "./open-images.ts"
import type { ImageRecords } from "./records.ts"
import { taggedName } from "./reference.ts"

/** Writes the documents of an image whose layers are snapshots already, and records it. Safe to repeat. */
export async function recordImage(
  deps: ImagesDeps,
  records: ImageRecords,
  options: RecordImageOptions,
): Promise<Image> {
  const { config, layers, format } = options
  const names = (options.tags ?? []).map(taggedName)
  await using lease = await deps.leases.open()
  const configBlob = await put(config)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: format === "oci" ? MediaType.ociManifest : MediaType.dockerManifest,
    config: { mediaType: format === "oci" ? MediaType.ociConfig : MediaType.dockerConfig, ...configBlob },
    layers: layers.map(({ descriptor }) => inFormat(descriptor, format)),
    ...(options.annotations === undefined ? {} : { annotations: { ...options.annotations } }),
  }
  const manifestBlob = await put(manifest)
  crashPoint("build:documents-put")
  const chain = chainIds(config.rootfs.diff_ids)
  records.transaction(() => {
    records.put({
      id: configBlob.digest,
      manifest: { mediaType: manifest.mediaType ?? MediaType.ociManifest, ...manifestBlob },
      platform: { os: config.os, architecture: config.architecture, variant: config.variant },
      createdAt: parseTime(config.created),
      sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      topLayer: chain.at(-1),
      labels: config.config?.Labels ?? {},
      layers: chain.map((chainId, index) => ({ chainId, sizeBytes: layers[index]?.sizeBytes ?? 0 })),
      blobs: [manifestBlob.digest, configBlob.digest, ...layers.map(({ descriptor }) => descriptor.digest)],
    })
    layers.forEach(({ descriptor, isSnapshotOnly }, index) => {
      const chainId = chain[index]
      if (isSnapshotOnly && chainId) records.putSnapshotBlob(descriptor.digest, descriptor.size, chainId)
    })
    for (const name of names) records.setName(name, configBlob.digest)
  })
  crashPoint("build:image-recorded")
  return records.get(configBlob.digest)

  async function put(document: unknown): Promise<{ digest: Digest; size: number }> {
    const bytes = Buffer.from(JSON.stringify(document))
    lease.addBlob(parseDigest(`sha256:${hash("sha256", bytes, "hex")}`))
    const { digest, size } = await deps.content.put(bytes)
    return { digest, size }
  }
}

/** Writes the index of images that are recorded (image-spec image-index.md). Safe to repeat. */
export async function recordIndex(
  { content, leases }: ImagesDeps,
  records: ImageRecords,
  images: readonly Image[],
  format: RecordImageOptions["format"],
): Promise<Digest> {
  await using lease = await leases.open()
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: format === "oci" ? MediaType.ociIndex : MediaType.dockerList,
    manifests: images.map(({ manifest, platform }) => ({ ...manifest, platform })),
  }
  const bytes = Buffer.from(JSON.stringify(index))
  lease.addBlob(parseDigest(`sha256:${hash("sha256", bytes, "hex")}`))
  const { digest } = await content.put(bytes)
  records.transaction(() => {
    for (const { id } of images) records.addBlob(id, digest)
  })
  return digest
}

/** A base image may come in the other format; its bytes are the same (image-spec media-types.md#compatibility-matrix). */
export function inFormat({ mediaType, digest, size }: Descriptor, format: RecordImageOptions["format"]): Descriptor {
  const pair = LAYER_TYPES.find((types) => types.includes(mediaType))
  return { mediaType: pair?.[format === "oci" ? 0 : 1] ?? mediaType, digest, size }
}

const LAYER_TYPES: readonly (readonly [oci: string, docker: string])[] = [
  [MediaType.ociLayer, MediaType.dockerLayer],
  [MediaType.ociLayerGzip, MediaType.dockerLayerGzip],
]
