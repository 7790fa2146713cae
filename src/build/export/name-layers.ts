import { crashPoint } from "../../base/crash-point.ts"
import type { RecordedLayer } from "../../image/image.ts"
import type { Lease } from "../../content/content.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { chainIds } from "../../spec/chain-id.ts"
import type { ChainId, DiffId } from "../../spec/digest.ts"
import { MediaType } from "../../spec/oci-image.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { LayersResult } from "../solve/result.ts"

/** A layer under the names that an image has for it. */
export interface NamedLayer extends RecordedLayer {
  diffId: DiffId
  chainId: ChainId
  /** When the step made it; undefined for the base's. */
  createdAt: Date | undefined
  /** Of its bytes, those that a later layer takes away. */
  wastedBytes: number
}

/** What layers are named with. */
export interface NameLayersOptions {
  records: BuildRecords
  snapshots: Snapshotter
  reader: LayerReader
  lease: Lease
}

/**
 * Waits until the layers of a result have been read, and gives their snapshots the names that images know them by. Where a
 * snapshot of that name is there already, the image takes that one: it has the same files.
 */
export async function nameLayers(result: LayersResult, options: NameLayersOptions): Promise<NamedLayer[]> {
  const { records, snapshots, reader, lease } = options
  const known = await Promise.all(
    result.layers.map(async (layer): Promise<KnownLayer> => {
      if (layer.kind === "base") return { ...layer, createdAt: undefined, id: undefined }
      const { diffId, tarBytes, contentBytes } = await reader.facts(layer.id)
      const descriptor = { mediaType: MediaType.ociLayer, digest: diffId, size: tarBytes }
      return { descriptor, diffId, sizeBytes: contentBytes, createdAt: records.get(layer.id).createdAt, id: layer.id }
    }),
  )
  const ids = new Set(known.flatMap(({ id }) => id ?? []))
  const chain = chainIds(known.map(({ diffId }) => diffId))
  const named = known.map(({ descriptor, diffId, sizeBytes, createdAt, id }, index): NamedLayer => {
    const chainId = chain[index] ?? diffId
    return {
      descriptor,
      diffId,
      sizeBytes,
      createdAt,
      chainId: chainId as ChainId,
      isSnapshotOnly: id !== undefined,
      wastedBytes: id === undefined ? 0 : records.wasteOf(id, ids),
    }
  })
  records.transaction(() => {
    for (const [index, { chainId }] of named.entries()) {
      const id = known[index]?.id
      lease.addSnapshot(chainId)
      if (id === undefined || snapshots.has(chainId)) continue
      snapshots.rename(records.get(id).snapshot, chainId)
      records.setSnapshot(id, chainId)
    }
  })
  crashPoint("build:layers-named")
  return named
}

interface KnownLayer extends Pick<NamedLayer, "descriptor" | "diffId" | "sizeBytes" | "createdAt"> {
  /** Of the cache's record; undefined for the base's. */
  id: string | undefined
}
