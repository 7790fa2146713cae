import { createHash, randomUUID } from "node:crypto"
import { applyLayer } from "../archive/archive.ts"
import { crashPoint } from "../base/crash-point.ts"
import { InvalidArgument } from "../base/errors.ts"
import { noProgress, throttled } from "../base/progress.ts"
import type { Bytes, Lease } from "../content/content.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { chainIds } from "../spec/chain-id.ts"
import { parseDigest, type ChainId, type DiffId } from "../spec/digest.ts"
import { MediaType, type Descriptor, type HistoryEntry, type ImageConfig } from "../spec/oci-image.ts"
import { putImage } from "./documents.ts"
import { readManifest } from "./leased-manifest.ts"
import { taggedName } from "./reference.ts"
import type { CreateImageOptions, Image } from "./image.ts"
import { parseTime } from "./image-history.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords } from "./records.ts"

/**
 * Makes an image of a layer, alone or on top of another image's: the tar is extracted into a snapshot, which gives it again
 * when the image is pushed or saved. It is compressed only then.
 */
export async function createFromTar(
  deps: ImagesDeps,
  records: ImageRecords,
  tar: Bytes,
  options: CreateImageOptions,
): Promise<Image> {
  const name = options.name === undefined ? undefined : taggedName(options.name)
  await using lease = await deps.leases.open()
  const base = options.base && (await readManifest(deps.content, options.base))
  for (const { digest } of base?.manifest.layers ?? []) lease.addBlob(digest)
  if (options.base?.topLayer !== undefined) lease.addSnapshot(options.base.topLayer)
  const { layer, diffId, sizeBytes, chainId } = await storeLayer(deps, lease, tar, base?.diffIds ?? [], options)
  crashPoint("image:layer-stored")
  const below = options.base === undefined ? [] : records.layers(options.base.id)

  const config: ImageConfig = {
    ...options.config,
    rootfs: { type: "layers", diff_ids: [...(base?.diffIds ?? []), diffId] },
    ...(options.omitHistory ? {} : { history: [...(base?.config.history ?? []), ...newHistory(options)] }),
  }
  const written = await putImage(deps.content, lease, {
    config,
    layers: [...(base?.manifest.layers ?? []), layer],
    format: options.format ?? "oci",
    annotations: options.annotations,
  })
  const id = written.config.digest
  records.transaction(() => {
    records.put({
      id,
      manifest: written.manifest,
      platform: { os: config.os, architecture: config.architecture, variant: config.variant },
      createdAt: parseTime(config.created),
      sizeBytes: below.reduce((sum, each) => sum + each.sizeBytes, sizeBytes),
      topLayer: chainId,
      labels: config.config?.Labels ?? {},
      layers: [...below, { chainId, sizeBytes }],
      blobs: written.blobs,
    })
    records.putSnapshotBlob(diffId, layer.size, chainId)
    if (name !== undefined) records.setName(name, id)
    records.tell(base === undefined ? "import" : "create", id, name === undefined ? {} : { name })
  })
  return records.get(id)
}

function newHistory({ config, history = [], createdBy, comment, author }: CreateImageOptions): HistoryEntry[] {
  return [
    ...history,
    {
      created: config.created,
      ...(createdBy === undefined ? {} : { created_by: createdBy }),
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined ? {} : { comment }),
    },
  ]
}

interface StoredLayer {
  layer: Descriptor
  diffId: DiffId
  chainId: ChainId
  sizeBytes: number
}

async function storeLayer(
  deps: ImagesDeps,
  lease: Lease,
  tar: Bytes,
  below: readonly DiffId[],
  { onProgress = noProgress, signal }: CreateImageOptions,
): Promise<StoredLayer> {
  const { snapshots, rootless } = deps
  const key = randomUUID()
  await using undo = new AsyncDisposableStack()
  const { path, tarSplit } = await snapshots.stage(key)
  undo.defer(() => snapshots.remove(key))
  const report = throttled((current) => onProgress({ id: "layer", stage: "extracting", current }))
  const applied = await applyLayer(tar, path, { rootless, signal, tarSplit, onProgress: report })
  const { diffId, size } = applied.isSplit
    ? { diffId: applied.diffId, size: applied.tarBytes }
    : await packedAgain(snapshots, key, below, signal)

  const chain = chainIds([...below, diffId])
  const chainId = chain.at(-1)
  if (chainId === undefined) throw new Error("unreachable: each diff id gives a chain id")
  lease.addSnapshot(chainId)
  await snapshots.commitStage(chainId, key, chain.at(-2), signal)
  undo.move()
  const layer = { mediaType: MediaType.ociLayer, digest: diffId, size }
  return { layer, diffId, chainId, sizeBytes: applied.sizeBytes }
}

/** An archive that its files do not give again, as one with a file twice: the layer is what is made of the files. */
async function packedAgain(
  snapshots: Snapshotter,
  key: string,
  below: readonly DiffId[],
  signal: AbortSignal | undefined,
): Promise<{ diffId: DiffId; size: number }> {
  // a change of other layers comes from a snapshot, which has each file once
  if (below.length > 0) throw new InvalidArgument("the archive has several files of one name")
  const hash = createHash("sha256")
  let size = 0
  for await (const chunk of snapshots.diff(key, { signal })) {
    hash.update(chunk)
    size += chunk.length
  }
  return { diffId: parseDigest(`sha256:${hash.digest("hex")}`) as DiffId, size }
}
