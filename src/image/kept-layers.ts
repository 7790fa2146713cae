import type { ContentStore } from "../content/content.ts"
import type { DiffId } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { layerType, withLayers } from "./layer-compressor.ts"
import type { LeasedManifest } from "./leased-manifest.ts"

/** The layer as the store can give it: one that was fetched in parts as the plain archive that its files make. */
export function keptLayer(content: ContentStore, layer: Descriptor, diffId: DiffId | undefined): Descriptor {
  if (diffId === undefined || content.has(layer.digest) || !content.has(diffId)) return layer
  return plainLayer(content, layer, diffId)
}

/** The same layer uncompressed, where the store has its archive. */
export function plainLayer(content: ContentStore, { mediaType }: Descriptor, diffId: DiffId): Descriptor {
  return { mediaType: layerType(mediaType, "none"), digest: diffId, size: content.info(diffId).size }
}

/** The manifest with layers that the store can give; the one that was pulled where it has them all. */
export function withKeptLayers(content: ContentStore, leased: LeasedManifest): LeasedManifest {
  const layers = leased.manifest.layers.map((layer, index) => keptLayer(content, layer, leased.diffIds[index]))
  if (layers.every((layer, index) => layer === leased.manifest.layers[index])) return leased
  return { ...leased, ...withLayers(leased, layers), manifest: { ...leased.manifest, layers } }
}
