import { createHash } from "node:crypto"
import { decompress } from "../../archive/archive.ts"
import { DataLoss } from "../../base/errors.ts"
import type { ContentStore } from "../../content/content.ts"
import { digestHex, type DiffId } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { MAX_CONFIG_BYTES } from "../../spec/parse-image-config.ts"
import { compressionOf } from "../layer-compressor.ts"
import { documentFile, type LeasedSet, type SavedFile } from "./saved-file.ts"

/**
 * A docker archive in the form that every reader of it takes: configs and plain layers by their digests, `manifest.json`.
 * It has no manifests, so the digest of one does not go with the image; its id does.
 */
export async function* dockerArchiveFiles(
  content: ContentStore,
  sets: readonly LeasedSet[],
  signal?: AbortSignal,
): AsyncGenerator<SavedFile> {
  const written = new Set<DiffId>()
  const entries: { Config: string; RepoTags: string[] | null; Layers: string[] }[] = []
  for (const { names, members } of sets) {
    const { image, leased } = members[0]
    const { manifest, diffIds } = leased
    for (const [index, layer] of manifest.layers.entries()) {
      const diffId = diffIds[index]
      if (diffId === undefined) throw new DataLoss(`layer ${layer.digest} of image ${image.id} has no diff id`)
      if (written.has(diffId)) continue
      written.add(diffId)
      yield await plainLayer(content, layer, diffId, signal)
    }
    const config = `${digestHex(image.id)}.json`
    yield documentFile(config, await content.readAll(image.id, MAX_CONFIG_BYTES))
    entries.push({
      Config: config,
      // in full: of a short one podman makes localhost/NAME
      RepoTags: names.length === 0 ? null : [...names],
      Layers: diffIds.map(layerName),
    })
  }
  yield documentFile("manifest.json", entries)
}

/** From its snapshot where that gives it; else decompressed twice: once for its size, which the header before it says. */
async function plainLayer(
  content: ContentStore,
  layer: Descriptor,
  diffId: DiffId,
  signal: AbortSignal | undefined,
): Promise<SavedFile> {
  const name = layerName(diffId)
  if (content.has(diffId))
    return { name, size: content.info(diffId).size, bytes: () => content.read(diffId, { start: 0, reuse: true }) }
  if (compressionOf(layer) === "none") throw new DataLoss(`layer ${layer.digest} of the image is not in the store`)
  const bytes = () => decompress(content.read(layer.digest, { start: 0, signal }))
  const hash = createHash("sha256")
  let size = 0
  for await (const chunk of bytes()) {
    hash.update(chunk)
    size += chunk.length
  }
  const is = `sha256:${hash.digest("hex")}`
  if (is !== diffId) throw new DataLoss(`layer ${layer.digest} unpacks to ${is}, the image's config says ${diffId}`)
  return { name, size, bytes }
}

function layerName(diffId: DiffId): string {
  return `${digestHex(diffId)}.tar`
}
