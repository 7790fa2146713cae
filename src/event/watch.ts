import type { Event, EventFilter } from "./event.ts"
import type { EventFeed } from "./feed.ts"
import { eventFilter } from "./filter.ts"
import type { EventRecords } from "./records.ts"

/** More than this many unread events are left in the table, and read from there when their time comes. */
const MAX_QUEUED = 1000
const PAGE = 500
/** setTimeout takes 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface WatchQuery {
  until?: Date
  filter?: EventFilter
  signal?: AbortSignal
}

type EventStream = AsyncIterableIterator<Event> & AsyncDisposable

/** See `Events.watch`. `after`: the id to begin behind; undefined: now. */
export function watchEvents(
  source: { records: EventRecords; feed: EventFeed },
  after: number | undefined,
  query: WatchQuery,
): EventStream {
  const reader = new EventReader(source, after, query)
  const stream: EventStream = {
    async next() {
      const value = await reader.next()
      return value === undefined ? { done: true, value: undefined } : { done: false, value }
    },
    async return() {
      reader.end()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => stream,
    async [Symbol.asyncDispose]() {
      reader.end()
    },
  }
  return stream
}

/** The events between two ids, read in pages. */
export function* readBack(records: EventRecords, after: number, upTo: number): Generator<Event> {
  for (let from = after; from < upTo;) {
    const page = records.after(from, PAGE, upTo)
    yield* page
    from = page.at(-1)?.id ?? upTo
  }
}

class EventReader {
  readonly #records: EventRecords
  readonly #feed: EventFeed
  readonly #fits: (event: Event) => boolean
  readonly #endNs: bigint | undefined
  readonly #ends = new DisposableStack()
  #subscription: ReturnType<EventFeed["subscribe"]> | undefined
  /** Read from the table before what is queued. */
  #backlog: Generator<Event>
  #queue: Event[] = []
  /** All up to this id was given, or did not fit. */
  #lastId: number
  #wake: (() => void) | undefined
  #isEnded = false

  constructor(
    { records, feed }: { records: EventRecords; feed: EventFeed },
    after: number | undefined,
    { until, filter, signal }: WatchQuery,
  ) {
    this.#records = records
    this.#feed = feed
    this.#fits = eventFilter(filter)
    this.#endNs = until === undefined ? undefined : BigInt(until.getTime()) * 1_000_000n
    const joined = this.#join()
    this.#lastId = after ?? joined
    this.#backlog = readBack(records, this.#lastId, joined)
    if (signal?.aborted) this.end()
    else if (signal) {
      const abort = (): void => this.end()
      signal.addEventListener("abort", abort, { once: true })
      this.#ends.defer(() => signal.removeEventListener("abort", abort))
    }
    if (until && !this.#isEnded) {
      const timer = setTimeout(
        () => this.#wake?.(),
        Math.min(Math.max(0, until.getTime() - Date.now() + 1), MAX_TIMER_MS),
      )
      this.#ends.defer(() => clearTimeout(timer))
    }
  }

  async next(): Promise<Event | undefined> {
    while (!this.#isEnded) {
      const event = this.#takeNext()
      if (event === undefined) {
        if (this.#endNs !== undefined && BigInt(Date.now()) * 1_000_000n > this.#endNs) break
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      } else {
        if (this.#endNs !== undefined && event.timeNs > this.#endNs) break
        return event
      }
    }
    this.end()
    return undefined
  }

  /** Safe to repeat. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#subscription?.[Symbol.dispose]()
    this.#ends[Symbol.dispose]()
    this.#queue = []
    this.#wake?.()
  }

  #takeNext(): Event | undefined {
    for (;;) {
      const { value: old } = this.#backlog.next() as { value: Event | undefined }
      if (old !== undefined) {
        this.#lastId = old.id
        if (this.#fits(old)) return old
        continue
      }
      const event = this.#queue.shift()
      if (event !== undefined) {
        this.#lastId = event.id
        return event
      }
      if (this.#subscription !== undefined) return undefined
      // it was too slow and left the feed: it reads what it missed, and joins again
      this.#backlog = readBack(this.#records, this.#lastId, this.#join())
    }
  }

  /** From here on events are queued; gives the id after which. */
  #join(): number {
    const subscription = this.#feed.subscribe((events) => this.#take(events))
    this.#subscription = subscription
    return subscription.after
  }

  #take(events: readonly Event[]): void {
    for (const event of events) if (this.#fits(event)) this.#queue.push(event)
    if (this.#queue.length > MAX_QUEUED) {
      this.#queue.length = MAX_QUEUED
      this.#subscription?.[Symbol.dispose]()
      this.#subscription = undefined
    }
    if (this.#queue.length > 0) this.#wake?.()
  }
}
