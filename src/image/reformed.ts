import type { ContentStore, Lease } from "../content/content.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import { MAX_CONFIG_BYTES } from "../spec/parse-image-config.ts"
import { newDocument, putDocument } from "./documents.ts"
import { withLayers, type MadeLayer } from "./layer-compressor.ts"
import type { LeasedManifest } from "./leased-manifest.ts"

/**
 * The documents of an image whose layers have been made in another form, one for each that it had. The manifest is made anew unless
 * nothing has changed; the config keeps its bytes unless a form has changed the archives: then it names the new diff ids, is
 * held by the lease, and is another image.
 */
export async function reformed(
  content: ContentStore,
  lease: Lease,
  leased: LeasedManifest,
  made: readonly MadeLayer[],
  wanted?: string,
): Promise<LeasedManifest> {
  const layers = made.map(({ layer }) => layer)
  const isSame = layers.every((layer, index) => layer.digest === leased.manifest.layers[index]?.digest)
  if (isSame && (wanted === undefined || wanted === leased.mediaType)) return leased
  const diffIds = leased.diffIds.map((diffId, index) => made[index]?.diffId ?? diffId)
  const hasNewArchives = diffIds.some((diffId, index) => diffId !== leased.diffIds[index])
  const { config, descriptor } = hasNewArchives
    ? await withDiffIds(content, lease, leased, diffIds)
    : { config: leased.config, descriptor: leased.manifest.config }
  const manifest = { ...leased.manifest, config: descriptor }
  const { bytes, mediaType } = withLayers({ manifest, mediaType: leased.mediaType }, layers, wanted)
  return { bytes, mediaType, manifest: { ...manifest, layers: [...layers] }, config, diffIds }
}

/** What we do not know of a config stays in it. */
async function withDiffIds(
  content: ContentStore,
  lease: Lease,
  { manifest, config }: LeasedManifest,
  diffIds: LeasedManifest["diffIds"],
): Promise<{ config: ImageConfig; descriptor: LeasedManifest["manifest"]["config"] }> {
  const { digest, mediaType } = manifest.config
  const bytes = await content.readAll(digest, MAX_CONFIG_BYTES)
  const document = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>
  const rootfs = { ...config.rootfs, diff_ids: [...diffIds] }
  const descriptor = await putDocument(content, lease, newDocument({ ...document, rootfs }, mediaType))
  return { config: { ...config, rootfs }, descriptor }
}
