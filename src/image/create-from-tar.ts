import { createHash, randomUUID } from "node:crypto"
import { createGzip, constants } from "node:zlib"
import { applyLayer } from "../archive/archive.ts"
import { noProgress } from "../base/progress.ts"
import type { Bytes, Ingest } from "../content/content.ts"
import { chainIds } from "../spec/chain-id.ts"
import type { Digest, DiffId } from "../spec/digest.ts"
import { MediaType, type Descriptor, type ImageConfig, type ImageManifest } from "../spec/oci-image.ts"
import { taggedName } from "./reference.ts"
import type { CreateImageOptions, Image } from "./image.ts"
import { parseTime } from "./image-history.ts"
import type { ImagesDeps } from "./open-images.ts"
import type { ImageRecords } from "./records.ts"

/**
 * Makes an image of one layer: the tar is extracted into a snapshot and, in the same pass, compressed into a blob, so that
 * the image can be pushed and saved like any other.
 */
export async function createFromTar(
  deps: ImagesDeps,
  records: ImageRecords,
  tar: Bytes,
  options: CreateImageOptions,
): Promise<Image> {
  const name = options.name === undefined ? undefined : taggedName(options.name)
  await using lease = await deps.leases.open()
  const { layer, diffId, sizeBytes } = await storeLayer(deps, lease, tar, options)

  const config: ImageConfig = {
    ...options.config,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: options.config.created, created_by: options.createdBy }],
  }
  const configBlob = await store(config)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: MediaType.ociConfig, ...configBlob },
    layers: [layer],
  }
  const manifestBlob = await store(manifest)
  const [topLayer] = chainIds([diffId])
  records.transaction(() => {
    records.put({
      id: configBlob.digest,
      manifest: { mediaType: MediaType.ociManifest, ...manifestBlob },
      platform: { os: config.os, architecture: config.architecture, variant: config.variant },
      createdAt: parseTime(config.created),
      sizeBytes,
      topLayer,
      labels: config.config?.Labels ?? {},
      layers: topLayer === undefined ? [] : [{ chainId: topLayer, sizeBytes }],
      blobs: [manifestBlob.digest, configBlob.digest, layer.digest],
    })
    if (name !== undefined) records.setName(name, configBlob.digest)
  })
  return records.get(configBlob.digest)

  async function store(document: unknown): Promise<{ digest: Digest; size: number }> {
    const bytes = Buffer.from(JSON.stringify(document))
    lease.addBlob(digestOf(createHash("sha256").update(bytes)))
    const { digest, size } = await deps.content.put(bytes)
    return { digest, size }
  }
}

interface StoredLayer {
  layer: Descriptor
  diffId: DiffId
  sizeBytes: number
}

async function storeLayer(
  deps: ImagesDeps,
  lease: Awaited<ReturnType<ImagesDeps["leases"]["open"]>>,
  tar: Bytes,
  { onProgress = noProgress }: CreateImageOptions,
): Promise<StoredLayer> {
  const { content, snapshots } = deps
  const key = randomUUID()
  await using ingest = await content.ingest(`tar-${key}`)
  await using undo = new AsyncDisposableStack()
  const { path } = await snapshots.stage(key)
  undo.defer(() => snapshots.remove(key))

  await using unfinished = new AsyncDisposableStack()
  unfinished.defer(() => ingest.truncate())
  const blob = new BlobWriter(ingest, (current) => onProgress({ id: "layer", status: "Extracting", current }))
  unfinished.defer(() => blob.abort())
  const { diffId, sizeBytes } = await applyLayer(blob.passing(tar), path, { rootless: deps.rootless })
  const { digest, size } = await blob.end()
  unfinished.move()

  const [chainId] = chainIds([diffId])
  if (chainId === undefined) throw new Error("unreachable: one diff id gives one chain id")
  lease.addBlob(digest)
  lease.addSnapshot(chainId)
  await ingest.commit({ digest, size })
  await snapshots.commitStage(chainId, key)
  undo.move()
  return { layer: { mediaType: MediaType.ociLayerGzip, digest, size }, diffId, sizeBytes }
}

/** Compresses what passes by into an ingest. Level 1: a base image is made in a second, not in ten. */
class BlobWriter {
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 })
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
