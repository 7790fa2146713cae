import { log } from "../../base/log.ts"
import { AwaitsAdmission } from "../api/admission/webhooks/gate.ts"

const FIRST_DELAY_MS = 50
const LONGEST_DELAY_MS = 60_000
/** What waits its turn is worked off for so long, then timers and sockets have theirs. */
const SLICE_MS = 5

/** What is looked at again: `reconcile` gives when to look once more though nothing changes, in milliseconds. */
export interface Worker {
  name: string
  reconcile(key: string): number | undefined | void
}

interface Item {
  worker: Worker
  key: string
  failures: number
  timer: NodeJS.Timeout | undefined
  isQueued: boolean
}

/**
 * Keys that are to be looked at, each once however often it is added, in order; one that failed again later and later (50 ms to a minute).
 */
export class WorkQueue implements Disposable {
  readonly #items = new Map<string, Item>()
  readonly #ready: Item[] = []
  #turn: NodeJS.Immediate | undefined
  #isDisposed = false

  add(worker: Worker, key: string): void {
    if (this.#isDisposed) return
    const item = this.#item(worker, key)
    clearTimeout(item.timer)
    item.timer = undefined
    if (item.isQueued) return
    item.isQueued = true
    this.#ready.push(item)
    this.#turn ??= setImmediate(() => this.#work())
  }

  /** Unless it is looked at before. */
  addAfter(worker: Worker, key: string, ms: number): void {
    if (this.#isDisposed) return
    const item = this.#item(worker, key)
    if (item.isQueued) return
    clearTimeout(item.timer)
    // longer than a timer can count
    item.timer = setTimeout(() => this.add(worker, key), Math.min(ms, 2 ** 31 - 1))
  }

  /** Whether anything waits, or is to be looked at in less than `withinMs`. */
  get isIdle(): boolean {
    return this.#ready.length === 0
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearImmediate(this.#turn)
    for (const { timer } of this.#items.values()) clearTimeout(timer)
  }

  #item(worker: Worker, key: string): Item {
    const id = `${worker.name}\0${key}`
    let item = this.#items.get(id)
    if (item === undefined)
      this.#items.set(id, (item = { worker, key, failures: 0, timer: undefined, isQueued: false }))
    return item
  }

  #work(): void {
    this.#turn = undefined
    const until = performance.now() + SLICE_MS
    while (performance.now() < until) {
      const item = this.#ready.shift()
      if (item === undefined) return
      item.isQueued = false
      this.#reconcile(item)
      if (!item.isQueued && item.timer === undefined) this.#items.delete(`${item.worker.name}\0${item.key}`)
    }
    if (this.#ready.length > 0) this.#turn ??= setImmediate(() => this.#work())
  }

  #reconcile(item: Item): void {
    const { worker, key } = item
    try {
      const again = worker.reconcile(key)
      item.failures = 0
      if (typeof again === "number") this.addAfter(worker, key, Math.max(1, again))
    } catch (error) {
      if (error instanceof AwaitsAdmission) return void error.ask().finally(() => this.add(worker, key))
      const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** item.failures++)
      log.debug(`${worker.name} cannot bring "${key}" in line`, { reason: String(error) })
      this.addAfter(worker, key, delay)
    }
  }
}
