import type { ShownLine } from "./shown-line.ts"
import { TimeHeap } from "./time-heap.ts"

/** A line, and whose it is. */
export interface SourcedLine<S> {
  source: S
  line: ShownLine
}

class Source<S> {
  lines: readonly ShownLine[] = []
  /** The next of `lines`. */
  at = 0
  /** Since when its reader waits for more. */
  askedAtMs = performance.now()
  hasEnded = false
  /** Lets its reader go on. */
  resume: (() => void) | undefined

  constructor(readonly key: S) {}

  get isEmpty(): boolean {
    return this.at === this.lines.length
  }

  get time(): string {
    return this.lines[this.at]?.time ?? ""
  }
}

/** How many lines of one source wait at most: a reader that is ahead of the screen stops. */
const MAX_WAITING = 8_192
const BATCH = 4_096

/**
 * Lines of several logs as one, by their times. A source that has nothing more just now holds the others up for `idleMs` at most: what
 * comes late stands late. Sources come and go. Nothing is lost, and memory is bounded, however slow the reader is.
 */
export class LineMerger<S> {
  readonly #idleMs: number
  readonly #sources = new Set<Source<S>>()
  /** Those with a line. */
  readonly #heap = new TimeHeap<Source<S>>()
  #wake: (() => void) | undefined
  #hasNews = false
  #isSealed = false

  constructor({ idleMs }: { idleMs: number }) {
    this.#idleMs = idleMs
  }

  /** Reads `batches` to their end; resolves when all of them have gone out. */
  async add(key: S, batches: AsyncIterable<readonly ShownLine[]>): Promise<void> {
    const source = new Source(key)
    this.#sources.add(source)
    try {
      for await (const lines of batches) {
        this.#append(source, lines)
        if (source.lines.length - source.at >= MAX_WAITING) await this.#emptied(source)
        source.askedAtMs = performance.now()
      }
    } finally {
      source.hasEnded = true
      this.#tell()
      if (!source.isEmpty) await this.#emptied(source)
      this.#sources.delete(source)
      this.#tell()
    }
  }

  /** No source comes any more: `batches` ends with the last one. */
  seal(): void {
    this.#isSealed = true
    this.#tell()
  }

  async *batches(): AsyncGenerator<SourcedLine<S>[], void, undefined> {
    for (;;) {
      this.#hasNews = false
      const batch = this.#take()
      if (batch.length > 0) yield batch
      else if (this.#isSealed && this.#sources.size === 0) return
      else await this.#change()
    }
  }

  #append(source: Source<S>, lines: readonly ShownLine[]): void {
    if (lines.length === 0) return
    const wasEmpty = source.isEmpty
    source.lines = wasEmpty ? lines : [...source.lines.slice(source.at), ...lines]
    source.at = 0
    if (wasEmpty) this.#heap.push(source)
    this.#tell()
  }

  #emptied(source: Source<S>): Promise<void> {
    return new Promise((resolve) => (source.resume = resolve))
  }

  #take(): SourcedLine<S>[] {
    const batch: SourcedLine<S>[] = []
    // one that runs empty may still have the next line: then all are looked at again
    for (let hasEmptied = true; batch.length < BATCH;) {
      if (hasEmptied && this.#waitMs() > 0) break
      const source = this.#heap.first
      const line = source?.lines[source.at]
      if (source === undefined || line === undefined) break
      batch.push({ source: source.key, line })
      source.at++
      hasEmptied = source.isEmpty
      if (!hasEmptied) this.#heap.sinkFirst()
      else {
        this.#heap.shift()
        source.askedAtMs = performance.now()
        source.resume?.()
        source.resume = undefined
      }
    }
    return batch
  }

  /** How long sources that may still have an earlier line are waited for. */
  #waitMs(): number {
    const nowMs = performance.now()
    let wait = 0
    for (const { isEmpty, hasEnded, askedAtMs } of this.#sources)
      if (isEmpty && !hasEnded) wait = Math.max(wait, askedAtMs + this.#idleMs - nowMs)
    return wait
  }

  async #change(): Promise<void> {
    if (this.#hasNews) return
    const waitMs = this.#heap.first === undefined ? Infinity : this.#waitMs()
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(waitMs) ? setTimeout(resolve, Math.max(1, waitMs)) : undefined
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  #tell(): void {
    this.#hasNews = true
    this.#wake?.()
  }
}
