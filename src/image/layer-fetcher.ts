import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { applyLayer } from "../archive/archive.ts"
import { untilAborted } from "../base/bytes.ts"
import { crashPoint } from "../base/crash-point.ts"
import { Cancelled, DataLoss, isSkiffError, Unsupported } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { throttled, type OnProgress } from "../base/progress.ts"
import { limiter, type Limit } from "../base/limiter.ts"
import { runAll } from "../base/run-all.ts"
import type { Bytes, ContentStore, Ingest, Lease } from "../content/content.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import { digestHex, shortDigest, type ChainId, type DiffId, type Digest } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { ImageSource } from "./image.ts"
import { LayerDownload } from "./layer-download.ts"
import type { ImageRecords, LayerRecord } from "./records.ts"
import type { Reference } from "./reference.ts"

/** Where layers come from and go to. */
export interface LayerFetcherOptions {
  content: ContentStore
  snapshots: Snapshotter
  records: ImageRecords
  lease: Lease
  source: ImageSource
  ref: Reference
  /** Of layers that came with others of the same archive, and are in no record yet. */
  sizes?: Map<ChainId, number>
  rootless: boolean
  /** Whether contents that are here need not be fetched again: see partial/partial-layer.ts. */
  mayBePartial?: boolean
  onProgress: OnProgress
  signal: AbortSignal
}

/** As docker: more at once gain nothing on one line, and cost memory. */
const PARALLEL_LAYERS = 3
const LOCK_POLL_MS = 100

/** A layer that waits, extracted, for those below it; without a key it was there already. */
interface StagedLayer {
  sizeBytes: number
  key?: string
  /** The uncompressed layer, where the snapshot gives it again. */
  plain?: { digest: DiffId; size: number }
  /** What of it was fetched, of a layer whose blob was not. */
  partial?: { digest: Digest; fetchedBytes: number }
}

/** What is fetched and not yet joined; disposed, it drops the stages that were not. */
export interface StagedLayers extends AsyncDisposable {
  /** Waits for each layer and joins it to those below; gives all, lowest first. Throws the first failure. */
  join(): Promise<LayerRecord[]>
  /** Of those that are joined, how many were not there before. */
  readonly added: number
}

/** Brings the layers of one image in: download, digest, decompression, diff id and extraction in one pass each. */
export class LayerFetcher {
  readonly #options: LayerFetcherOptions

  constructor(options: LayerFetcherOptions) {
    this.#options = options
  }

  /** Starts all; `onFailure` hears of the first failure at once, so that it can stop the others. */
  fetchAll(
    layers: readonly Descriptor[],
    diffIds: readonly DiffId[],
    chain: readonly ChainId[],
    onFailure: (error: unknown) => void,
  ): StagedLayers {
    const { snapshots, records, onProgress, sizes, signal } = this.#options
    const limit = limiter(PARALLEL_LAYERS)
    let failure: { error: unknown } | undefined
    const stages = new Set<string>()
    const staged = layers.map(async (layer, index) => {
      const [diffId, chainId] = [diffIds[index], chain[index]]
      if (diffId === undefined || chainId === undefined) throw new DataLoss(`layer ${layer.digest} has no diff id`)
      try {
        const result = await this.#stage(layer, diffId, chainId, limit)
        if (result.key !== undefined) stages.add(result.key)
        return result
      } catch (error) {
        if (!failure) onFailure((failure = { error }).error)
        throw error
      }
    })
    const ended = Promise.allSettled(staged)
    let added = 0

    return {
      get added() {
        return added
      },
      async join() {
        const joined: LayerRecord[] = []
        for (const [index, promise] of staged.entries()) {
          const { key, sizeBytes, plain, partial } = await promise.catch((error: unknown) => {
            throw failure?.error ?? error
          })
          const [layer, chainId] = [layers[index], chain[index]]
          if (!layer || chainId === undefined) break
          if (key !== undefined) {
            await snapshots.commitStage(chainId, key, joined.at(-1)?.chainId, signal)
            stages.delete(key)
            added++
            // the lease holds the snapshot until an image is recorded that does
            if (plain !== undefined) records.putSnapshotBlob(plain.digest, plain.size, chainId)
            if (partial === undefined) onProgress({ id: lineOf(layer), stage: "added" })
            else {
              records.putPartialLayer(partial.digest, chainId)
              onProgress({
                id: lineOf(layer),
                stage: "added-partly",
                current: partial.fetchedBytes,
                total: layer.size,
              })
            }
          }
          sizes?.set(chainId, sizeBytes)
          joined.push({ chainId, sizeBytes })
        }
        return joined
      },
      async [Symbol.asyncDispose]() {
        await ended
        await runAll(
          "removing the layers that were not joined",
          [...stages].map((key) => () => snapshots.remove(key)),
        )
      },
    }
  }

  async #stage(layer: Descriptor, diffId: DiffId, chainId: ChainId, limit: Limit): Promise<StagedLayer> {
    const { onProgress } = this.#options
    const id = lineOf(layer)
    this.#options.lease.addBlob(layer.digest)
    const there = await this.#existing(layer, chainId)
    if (there) {
      onProgress({ id, stage: "exists" })
      return there
    }
    checkMediaType(layer)
    onProgress({ id, stage: "queued" })
    return await limit(
      () => this.#fetchOrWait(layer, diffId, chainId),
      () => onProgress({ id, stage: "waiting" }),
    )
  }

  /** A layer is there when its files are and its blob is: without the blob the image could not leave again. */
  async #existing({ digest }: Descriptor, chainId: ChainId): Promise<StagedLayer | undefined> {
    const { content, snapshots, records, sizes, lease, signal } = this.#options
    lease.addSnapshot(chainId)
    if (!snapshots.has(chainId) || !(content.has(digest) || records.isPartialLayer(digest, chainId))) return undefined
    const known = sizes?.get(chainId) ?? records.layerSize(chainId)
    return { sizeBytes: known ?? (await snapshots.usage(chainId, signal)).bytes }
  }

  /** While another pull writes this very layer, waits for it and takes what it got. */
  async #fetchOrWait(layer: Descriptor, diffId: DiffId, chainId: ChainId): Promise<StagedLayer> {
    const { content, source, signal, onProgress } = this.#options
    if (source.readAgain !== undefined && digestHex(layer.digest) === digestHex(diffId))
      return await this.#takePlain(layer, diffId, source.readAgain(layer))
    while (true) {
      if (signal.aborted) throw new Cancelled("pull was cancelled")
      const there = await this.#existing(layer, chainId)
      if (there) {
        onProgress({ id: lineOf(layer), stage: "exists" })
        return there
      }
      if (content.has(layer.digest))
        return await this.#extract(layer, diffId, content.read(layer.digest, { start: 0, reuse: true, signal }))
      const ingest = await openUnlessBusy(content, `layer-${layer.digest}`, signal)
      if (!ingest) {
        onProgress({ id: lineOf(layer), stage: "waiting" })
        await sleep(LOCK_POLL_MS, undefined, { signal })
        continue
      }
      await using writing = ingest
      // it may have been committed by its writer between the look and the lock
      if (content.has(layer.digest)) continue
      const partial = writing.offset === 0 ? await this.#fetchMissing(layer, diffId) : undefined
      if (partial !== undefined) await writing.discard()
      return partial ?? (await this.#download(layer, diffId, writing))
    }
  }

  /**
   * An uncompressed layer of an archive becomes a snapshot and no blob, in one pass with one hash; a blob where the snapshot
   * cannot give it again.
   */
  async #takePlain(layer: Descriptor, diffId: DiffId, bytes: Bytes): Promise<StagedLayer> {
    const { content, snapshots, source, onProgress, signal } = this.#options
    const id = lineOf(layer)
    const report = throttled((current) => onProgress({ id, stage: "downloading", current, total: layer.size }))
    const staged = await this.#extract(layer, diffId, bytes, { onBytes: report })
    if (staged.plain !== undefined || source.readAgain === undefined) return staged
    await using undo = new AsyncDisposableStack()
    undo.defer(async () => {
      if (staged.key !== undefined) await snapshots.remove(staged.key)
    })
    await using ingest = await content.ingest(`layer-${layer.digest}-${randomUUID()}`)
    undo.defer(() => ingest.discard())
    for await (const chunk of untilAborted(source.readAgain(layer), signal)) await ingest.write(chunk)
    await ingest.commit({ digest: layer.digest, size: layer.size })
    undo.move()
    return staged
  }

  /**
   * The contents that no layer here has. Undefined where it is to be fetched whole: also when what came of it is wrong, for then
   * the whole blob says whether the image or only its table is.
   */
  async #fetchMissing(layer: Descriptor, diffId: DiffId): Promise<StagedLayer | undefined> {
    const { mayBePartial, snapshots, onProgress, signal } = this.#options
    if (!mayBePartial || layer.annotations === undefined) return undefined
    const { partialLayer } = await import("./partial/partial-layer.ts")
    const id = lineOf(layer)
    let [fetched, total] = [0, 0]
    const onFetched = (bytes: number): void =>
      onProgress({ id, stage: "downloading", current: (fetched += bytes), total })
    try {
      await using partial = await partialLayer({ ...this.#options, layer, onFetched })
      if (partial === undefined) return undefined
      total = partial.fetchedBytes
      const staged = await this.#extract(layer, diffId, partial.tar())
      // what the files do not give again must have its blob
      if (staged.plain !== undefined) return { ...staged, partial: { digest: layer.digest, fetchedBytes: total } }
      if (staged.key !== undefined) await snapshots.remove(staged.key)
    } catch (error) {
      if (signal.aborted || !isSkiffError(error) || error.code === "Cancelled") throw error
      log.warn("the layer cannot be fetched in parts, and is fetched whole", {
        layer: layer.digest,
        why: error.message,
      })
    }
    return undefined
  }

  /** Once more from the start, when what an earlier try left turns out to be damaged. */
  async #download(layer: Descriptor, diffId: DiffId, ingest: Ingest): Promise<StagedLayer> {
    const { content } = this.#options
    const isResumed = ingest.offset > 0
    try {
      return await this.#downloadOnce(layer, diffId, ingest)
    } catch (error) {
      if (!isResumed || !isSkiffError(error, "DataLoss") || content.has(layer.digest)) throw error
    }
    await ingest[Symbol.asyncDispose]()
    await using fresh = await content.ingest(`layer-${layer.digest}`)
    await fresh.truncate()
    return await this.#downloadOnce(layer, diffId, fresh)
  }

  async #downloadOnce(layer: Descriptor, diffId: DiffId, ingest: Ingest): Promise<StagedLayer> {
    const { source, ref, onProgress, signal } = this.#options
    const download = new LayerDownload({ source, ref, layer, ingest, signal, onProgress, id: lineOf(layer) })
    const onEnd = async (failure: unknown): Promise<void> => {
      if (download.failed) return
      // whether the bytes are wrong or only their form decides what the user is told: the digest says it
      if (failure === undefined || isSkiffError(failure, "DataLoss")) await download.finish()
      else await ingest.truncate()
      if (failure === undefined) crashPoint("pull:layer-blob-committed")
    }
    return await this.#extract(layer, diffId, download.bytes(), { onEnd })
  }

  /** Extracts into a new stage; `onEnd` runs before it counts, and when extraction failed. */
  async #extract(
    layer: Descriptor,
    diffId: DiffId,
    compressed: Bytes,
    { onEnd, onBytes }: { onEnd?: (failure: unknown) => Promise<void>; onBytes?: (taken: number) => void } = {},
  ): Promise<StagedLayer> {
    const { snapshots, rootless, signal, onProgress } = this.#options
    const key = `${digestHex(diffId).slice(0, 16)}-${randomUUID()}`
    await using undo = new AsyncDisposableStack()
    const { path, tarSplit } = await snapshots.stage(key)
    undo.defer(() => snapshots.remove(key))
    const options = { rootless, signal, tarSplit, onProgress: onBytes }
    const applied = await applyLayer(compressed, path, options).catch(async (error: unknown) => {
      await onEnd?.(error)
      throw signal.aborted ? new Cancelled("pull was cancelled", { cause: error }) : error
    })
    await onEnd?.(undefined)
    onProgress({ id: lineOf(layer), stage: "extracting", current: layer.size, total: layer.size })
    if (applied.diffId !== diffId)
      throw new DataLoss(`layer ${layer.digest} unpacks to ${applied.diffId}, the image's config says ${diffId}`, {
        hint: "do not trust this image",
      })
    crashPoint("pull:layer-extracted")
    undo.move()
    const { sizeBytes, tarBytes, isSplit } = applied
    return { key, sizeBytes, ...(isSplit ? { plain: { digest: diffId, size: tarBytes } } : {}) }
  }
}

async function openUnlessBusy(content: ContentStore, ref: string, signal: AbortSignal): Promise<Ingest | undefined> {
  try {
    return await content.ingest(ref, { signal })
  } catch (error) {
    if (isSkiffError(error, "Unavailable")) return undefined
    throw error
  }
}

function checkMediaType({ mediaType, digest }: Descriptor): void {
  if (/[.+/](?:tar|tar[.+](?:gzip|zstd))$/.test(mediaType)) return
  throw new Unsupported(`layer ${digest} is of type "${mediaType.slice(0, 200)}", which cannot be unpacked`)
}

function lineOf({ digest }: { digest: Digest }): string {
  return shortDigest(digest)
}
