import { watchDatabase } from "../../base/database-watch.ts"
import type { Database } from "../../base/database.ts"
import type { ObjectChange, WatchOptions } from "./objects.ts"
import type { ObjectRecords } from "./records.ts"

const PAGE = 200

/** Reads the changes of this and every other process for all watchers of this one. */
export class ChangeFeed {
  readonly #db: Database
  readonly #records: ObjectRecords
  readonly #wakes = new Set<() => void>()
  #watch: Disposable | undefined

  constructor(db: Database, records: ObjectRecords) {
    this.#db = db
    this.#records = records
  }

  /** See `KubeObjects.watch`. `after`: the version to begin behind. */
  watch(
    after: number,
    { resources, namespace, signal }: WatchOptions,
  ): AsyncIterableIterator<ObjectChange> & AsyncDisposable {
    const wanted = resources && new Set(resources)
    const fits = ({ resource, object }: ObjectChange): boolean =>
      (wanted === undefined || wanted.has(resource)) &&
      (namespace === undefined || object.metadata.namespace === namespace)
    let last = after
    let queue: ObjectChange[] = []
    let isEnded = signal?.aborted ?? false
    let isBehind = false
    let wake: (() => void) | undefined
    const onWake = (): void => wake?.()
    const end = (): void => {
      isEnded = true
      this.#leave(onWake)
      signal?.removeEventListener("abort", end)
      wake?.()
    }
    if (!isEnded) {
      this.#join(onWake)
      signal?.addEventListener("abort", end, { once: true })
    }
    const read = (): void => {
      const page = this.#records.changesAfter(last, PAGE)
      last = page.at(-1)?.version ?? last
      queue = page.filter(fits)
      isBehind = page.length === PAGE
    }
    const stream: AsyncIterableIterator<ObjectChange> & AsyncDisposable = {
      async next() {
        for (;;) {
          if (isEnded) return { done: true, value: undefined }
          if (queue.length === 0) read()
          const change = queue.shift()
          if (change !== undefined) return { done: false, value: change }
          // none of a whole page fitted: there may be more
          if (isBehind) continue
          await new Promise<void>((resolve) => (wake = resolve))
          wake = undefined
        }
      },
      async return() {
        end()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => stream,
      async [Symbol.asyncDispose]() {
        end()
      },
    }
    return stream
  }

  #join(wake: () => void): void {
    this.#watch ??= watchDatabase(this.#db, () => {
      for (const one of this.#wakes) one()
    })
    this.#wakes.add(wake)
  }

  #leave(wake: () => void): void {
    this.#wakes.delete(wake)
    if (this.#wakes.size > 0) return
    this.#watch?.[Symbol.dispose]()
    this.#watch = undefined
  }
}
