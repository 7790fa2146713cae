import { createHash, randomUUID } from "node:crypto"
import { createGzip } from "node:zlib"
import { applyLayer, GZIP_LEVEL } from "../archive/archive.ts"
import { crashPoint } from "../base/crash-point.ts"
import { noProgress } from "../base/progress.ts"
import type { Bytes, Ingest } from "../content/content.ts"
import { chainIds } from "../spec/chain-id.ts"
import type { ChainId, Digest, DiffId } from "../spec/digest.ts"
import { MediaType, type Descriptor, type HistoryEntry, type ImageConfig } from "../spec/oci-image.ts"
import { CompressedLayers } from "./compressed-layers.ts"
import { putImage } from "./documents.ts"
import { readManifest } from "./leased-manifest.ts"
import { taggedName } from "./reference.ts"
import type { CreateImageOptions, Image } from "./image.ts"
import { parseTime } from "./image-history.ts"
import type { ImagesDeps } from "./deps.ts"
import type { ImageRecords } from "./records.ts"

/**
 * Makes an image of a layer, alone or on top of another image's: the tar is extracted into a snapshot and, in the same pass,
 * compressed into a blob, so that the image can be pushed and saved like any other.
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
    new CompressedLayers(deps.db).put(diffId, "gzip", layer)
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
  lease: Awaited<ReturnType<ImagesDeps["leases"]["open"]>>,
  tar: Bytes,
  below: readonly DiffId[],
  { onProgress = noProgress }: CreateImageOptions,
): Promise<StoredLayer> {
  const { content, snapshots } = deps
  const key = randomUUID()
  await using ingest = await content.ingest(`tar-${key}`)
  await using undo = new AsyncDisposableStack()
  const { path } = await snapshots.stage(key)
  undo.defer(() => snapshots.remove(key))

  await using unfinished = new AsyncDisposableStack()
  unfinished.defer(() => ingest.discard())
  const blob = new BlobWriter(ingest, (current) => onProgress({ id: "layer", status: "Extracting", current }))
  unfinished.defer(() => blob.abort())
  const { diffId, sizeBytes } = await applyLayer(blob.passing(tar), path, { rootless: deps.rootless })
  const { digest, size } = await blob.end()
  unfinished.move()

  const chain = chainIds([...below, diffId])
  const chainId = chain.at(-1)
  if (chainId === undefined) throw new Error("unreachable: each diff id gives a chain id")
  lease.addBlob(digest)
  lease.addSnapshot(chainId)
  await ingest.commit({ digest, size })
  await snapshots.commitStage(chainId, key, chain.at(-2))
  undo.move()
  return { layer: { mediaType: MediaType.ociLayerGzip, digest, size }, diffId, chainId, sizeBytes }
}

/** Compresses what passes by into an ingest. */
class BlobWriter {
  readonly #gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 256 * 1024 })
  readonly #hash = createHash("sha256")
  readonly #done: Promise<void>
  readonly #onBytes: (passed: number) => void
  #passed = 0
  #size = 0

  constructor(ingest: Ingest, onBytes: (passed: number) => void) {
    this.#onBytes = onBytes
    this.#done = (async () => {
      for await (const chunk of this.#gzip as AsyncIterable<Buffer>) {
        this.#hash.update(chunk)
        this.#size += chunk.length
        await ingest.write(chunk)
      }
    })()
    // awaited in end() and abort(); without this, an error before that would end the process
    this.#done.catch(() => this.#gzip.destroy())
  }

  async *passing(bytes: Bytes): Bytes {
    for await (const chunk of bytes) {
      if (!this.#gzip.write(chunk)) await Promise.race([new Promise((go) => this.#gzip.once("drain", go)), this.#done])
      this.#onBytes((this.#passed += chunk.length))
      yield chunk
    }
  }

  /** Writes nothing more from here on. */
  async abort(): Promise<void> {
    this.#gzip.destroy()
    await this.#done.catch(() => {})
  }

  async end(): Promise<{ digest: Digest; size: number }> {
    this.#gzip.end()
    await this.#done
    return { digest: digestOf(this.#hash), size: this.#size }
  }
}

function digestOf(hash: ReturnType<typeof createHash>): Digest {
  return `sha256:${hash.digest("hex")}` as Digest
}
