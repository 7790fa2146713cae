import type { Database } from "../base/database.ts"
import { watchDatabase } from "../base/database-watch.ts"
import type { Event } from "./event.ts"
import type { EventRecords } from "./records.ts"

const PAGE = 500

type Sink = (events: readonly Event[]) => void

/**
 * Reads each new event once for all watchers of this process, however many. It watches the database as long as somebody
 * listens.
 */
export class EventFeed {
  readonly #db: Database
  readonly #records: EventRecords
  readonly #sinks = new Set<Sink>()
  #watch: Disposable | undefined
  /** All sinks have been given the events up to this one. */
  #lastId = 0

  constructor(db: Database, records: EventRecords) {
    this.#db = db
    this.#records = records
  }

  /** Gives every event after the id that is returned to `sink`, in order. Throws nothing of `sink`'s. */
  subscribe(sink: Sink): { after: number } & Disposable {
    if (this.#watch === undefined) {
      // watched first, then read: nothing falls between
      this.#watch = watchDatabase(this.#db, () => this.#advance())
      this.#lastId = this.#records.lastId()
    } else this.#advance()
    this.#sinks.add(sink)
    return { after: this.#lastId, [Symbol.dispose]: () => this.#unsubscribe(sink) }
  }

  #unsubscribe(sink: Sink): void {
    if (!this.#sinks.delete(sink) || this.#sinks.size > 0) return
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
  }

  #advance(): void {
    for (;;) {
      const events = this.#records.after(this.#lastId, PAGE)
      const last = events.at(-1)
      if (last === undefined) return
      this.#lastId = last.id
      for (const sink of this.#sinks) sink(events)
    }
  }
}
