/** Connections of callers: so many at once, none of which does nothing for long, and none of which asks only to take it back. */
import type { IngressLimits } from "./limits.ts"
import { Places } from "./limits.ts"

/** All is counted anew after that. */
const WINDOW_MS = 10_000
/** Who takes a request back later than that had a reason of his own. */
const EARLY_MS = 1_000

interface Watched {
  cut: () => void
  requests: number
  timer: NodeJS.Timeout | undefined
  windowStart: number
  counts: Record<Counted, number>
}

/** What a caller may do so often in a while: take requests back, ask for what only costs us something. */
type Counted = "resets" | "signals"

/** Keyed by whatever stands for a connection: its socket, or of HTTP/2 its session. */
export class Connections {
  readonly #limits: IngressLimits
  readonly #places: Places
  readonly #watched = new Map<object, Watched>()

  constructor(limits: IngressLimits) {
    this.#limits = limits
    this.#places = new Places(limits.connections, limits.connectionsOfOne)
  }

  /** A place for one more; undefined: there is none for him, and he is to be cut. */
  take(address: string | undefined): (() => void) | undefined {
    return this.#places.take(address)
  }

  /** Cuts it where no request is whole in time; safe to repeat. */
  watch(key: object, cut: () => void): void {
    if (this.#watched.has(key)) return
    const watched = { cut, requests: 0, timer: undefined, windowStart: 0, counts: { resets: 0, signals: 0 } }
    this.#watched.set(key, watched)
    this.#wait(watched, this.#limits.headMs)
  }

  forget(key: object): void {
    clearTimeout(this.#watched.get(key)?.timer)
    this.#watched.delete(key)
  }

  /** A request is under way. Gives what is to be called at its end, with whether it was answered. */
  begin(key: object): (isAnswered: boolean) => void {
    const watched = this.#watched.get(key)
    if (watched === undefined) return () => {}
    watched.requests++
    clearTimeout(watched.timer)
    const began = Date.now()
    return (isAnswered) => {
      if (this.#watched.get(key) !== watched) return
      watched.requests--
      if (watched.requests === 0) this.#wait(watched, this.#limits.idleMs)
      if (!isAnswered && Date.now() - began < EARLY_MS) this.count(key, "resets")
    }
  }

  #wait(watched: Watched, ms: number): void {
    clearTimeout(watched.timer)
    watched.timer = setTimeout(watched.cut, ms)
  }

  /** Once more; too often, and it is cut. */
  count(key: object, what: Counted): void {
    const watched = this.#watched.get(key)
    if (watched === undefined) return
    const now = Date.now()
    if (now - watched.windowStart > WINDOW_MS)
      Object.assign(watched, { windowStart: now, counts: { resets: 0, signals: 0 } })
    if (++watched.counts[what] > this.#limits[what]) watched.cut()
  }
}
