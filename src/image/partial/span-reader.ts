import { setTimeout as sleep } from "node:timers/promises"
import type { ByteSpan } from "../../archive/archive.ts"
import { DataLoss, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Bytes } from "../../content/content.ts"

/** Asks for a span of the blob. */
export type OpenSpan = (span: ByteSpan) => Promise<Bytes>

/** So many answers are waited for at once, so that a long way to the registry costs its time once. */
const AHEAD = 3
const MAX_INTERRUPTIONS = 5
const RETRY_DELAY_MS = 500
const NOTHING = new Uint8Array(0)

/** Spans of a blob, read in their order, with the next ones asked for already. A span whose line breaks is gone on with. */
export class SpanReader implements AsyncDisposable {
  readonly #open: OpenSpan
  readonly #spans: ByteSpan[]
  readonly #asked: Promise<AsyncIterator<Uint8Array>>[] = []
  readonly #onRead: (bytes: number) => void
  readonly #signal: AbortSignal
  #stream: AsyncIterator<Uint8Array> | undefined
  #rest: Uint8Array = NOTHING
  /** Of the first byte of `#rest`. */
  #at = 0

  constructor(spans: readonly ByteSpan[], open: OpenSpan, onRead: (bytes: number) => void, signal: AbortSignal) {
    this.#spans = [...spans]
    this.#open = open
    this.#onRead = onRead
    this.#signal = signal
  }

  /** The bytes of a span that lies in one of ours, and behind the one before. A reader that stops early ends it. */
  async *take({ start, end }: ByteSpan): Bytes {
    await this.#seek(start)
    while (this.#at < end) {
      if (this.#rest.length === 0) await this.#fill()
      const part = this.#rest.subarray(0, Math.min(this.#rest.length, end - this.#at))
      this.#rest = this.#rest.subarray(part.length)
      this.#at += part.length
      yield part
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const streams = await Promise.allSettled([...this.#asked, ...(this.#stream === undefined ? [] : [this.#stream])])
    await Promise.allSettled(
      streams.map(async (each) => (each.status === "fulfilled" ? await each.value.return?.() : undefined)),
    )
  }

  async #seek(start: number): Promise<void> {
    while (this.#spans[0] !== undefined && start >= this.#spans[0].end) {
      const stream = this.#stream ?? (await this.#asked.shift())
      await stream?.return?.()
      this.#stream = undefined
      this.#rest = NOTHING
      this.#spans.shift()
    }
    const [span] = this.#spans
    if (span !== undefined && this.#stream === undefined) {
      this.#stream = await this.#next()
      this.#at = span.start
      this.#rest = NOTHING
    }
    if (span === undefined || start < this.#at) throw new DataLoss("a part of the layer was not asked for")
    while (this.#at < start) {
      if (this.#rest.length === 0) await this.#fill()
      const skipped = Math.min(this.#rest.length, start - this.#at)
      this.#rest = this.#rest.subarray(skipped)
      this.#at += skipped
    }
  }

  /** The stream of the first span; those behind it are asked for as well. */
  async #next(): Promise<AsyncIterator<Uint8Array>> {
    for (const span of this.#spans.slice(this.#asked.length, AHEAD)) {
      const asked = this.#ask(span)
      asked.catch(() => {}) // it is awaited when its turn comes, or never
      this.#asked.push(asked)
    }
    const first = this.#asked.shift()
    if (first === undefined) throw new DataLoss("a part of the layer was not asked for")
    return await first
  }

  async #ask(span: ByteSpan): Promise<AsyncIterator<Uint8Array>> {
    return (await this.#open(span))[Symbol.asyncIterator]()
  }

  async #fill(): Promise<void> {
    for (let interruptions = 0; ; interruptions++) {
      const [span] = this.#spans
      if (span === undefined) throw new DataLoss("a part of the layer was not asked for")
      try {
        this.#stream ??= await this.#ask({ start: this.#at, end: span.end })
        const { done, value } = await this.#stream.next()
        if (done) throw new DataLoss("a part of the layer is shorter than was asked for")
        this.#onRead(value.length)
        this.#rest = value
        return
      } catch (error) {
        if (interruptions >= MAX_INTERRUPTIONS || this.#signal.aborted || !isSkiffError(error, "Unavailable"))
          throw error
        log.info("download was interrupted, resuming", { at: this.#at })
        this.#stream = undefined
        await sleep(RETRY_DELAY_MS, undefined, { signal: this.#signal })
      }
    }
  }
}
