import { setTimeout as sleep } from "node:timers/promises"
import { untilAborted } from "../base/bytes.ts"
import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { OnProgress } from "../base/progress.ts"
import type { Bytes, Ingest } from "../content/content.ts"
import { countPassed } from "../sys/process/free-memory.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import type { ImageSource } from "./image.ts"
import type { Reference } from "./reference.ts"

/** One layer on its way in. */
export interface LayerDownloadOptions {
  source: ImageSource
  ref: Reference
  layer: Descriptor
  ingest: Ingest
  signal: AbortSignal
  onProgress: OnProgress
  /** Of the progress line. */
  id: string
}

const MAX_INTERRUPTIONS = 5
const RETRY_DELAY_MS = 500
const PROGRESS_EVERY_MS = 50

/** The bytes of one layer, on their way from the source into an ingest and to whoever reads `bytes()`. */
export class LayerDownload {
  /** Whether the source or the ingest failed, rather than who reads. */
  failed = false
  readonly #options: LayerDownloadOptions
  readonly #stream: AsyncGenerator<Uint8Array>
  #reportedAt = 0

  constructor(options: LayerDownloadOptions) {
    this.#options = options
    this.#stream = this.#read()
  }

  /** The whole layer: what an earlier try left, then the rest. A reader that stops early does not end the download. */
  bytes(): Bytes {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#stream.next() }) }
  }

  /** Takes in what the reader left, then commits. Throws DataLoss when size or digest are not the descriptor's. */
  async finish(): Promise<void> {
    const { ingest, layer, onProgress, id } = this.#options
    while (!(await this.#stream.next()).done);
    onProgress({ id, stage: "verifying" })
    await ingest.commit({ digest: layer.digest, size: layer.size })
    onProgress({ id, stage: "downloaded" })
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const { ingest, layer, signal } = this.#options
    if (ingest.offset > layer.size) await ingest.truncate()
    yield* untilAborted(ingest.written(), signal)
    for (let interruptions = 0; ingest.offset < layer.size;) {
      const before = ingest.offset
      try {
        yield* this.#fetchRest()
      } catch (error) {
        // a line that breaks again and again, but brings something each time, is a slow line
        interruptions = ingest.offset > before ? 0 : interruptions + 1
        if (
          this.failed ||
          signal.aborted ||
          interruptions >= MAX_INTERRUPTIONS ||
          !isSkiffError(error, "Unavailable")
        ) {
          this.failed = true
          throw error
        }
        log.info("download was interrupted, resuming", { layer: layer.digest, at: ingest.offset })
        await sleep(RETRY_DELAY_MS, undefined, { signal })
      }
    }
  }

  async *#fetchRest(): AsyncGenerator<Uint8Array> {
    const { source, ref, layer, ingest } = this.#options
    const { offset, bytes } = await source.fetch(ref, layer, ingest.offset)
    // a source that cannot begin where we are: what we hold already is skipped
    let skip = ingest.offset - offset
    for await (const chunk of bytes) {
      const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - fresh.length
      if (fresh.length === 0) continue
      await ingest.write(fresh).catch((error: unknown) => {
        this.failed = true // a full disk: asking the source again is of no use
        throw error
      })
      this.#report()
      if (ingest.offset > layer.size / 2) crashPoint("pull:layer-half")
      yield fresh
      countPassed(chunk.length)
    }
  }

  #report(): void {
    const { ingest, layer, onProgress, id } = this.#options
    const now = performance.now()
    if (now - this.#reportedAt < PROGRESS_EVERY_MS && ingest.offset < layer.size) return
    this.#reportedAt = now
    onProgress({ id, stage: "downloading", current: ingest.offset, total: layer.size })
  }
}
