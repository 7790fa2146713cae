/** Restarts of containers and pulls of images, later and later (kubernetes: client-go/util/flowcontrol/backoff.go). */

export const FIRST_DELAY_MS = 10_000
export const LONGEST_DELAY_MS = 300_000

interface Entry {
  delayMs: number
  /** When it was last counted. */
  at: number
}

export class BackOffs {
  readonly #entries = new Map<string, Entry>()

  /** How long the back-off is that is under way since `since`; 0: it may go on. */
  delayOf(key: string, since: number, now: number): { delayMs: number; until: number } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#isForgotten(entry, now)) return undefined
    const until = since + entry.delayMs
    return until > now ? { delayMs: entry.delayMs, until } : undefined
  }

  /** One more failure. */
  count(key: string, now: number): void {
    const entry = this.#entries.get(key)
    const delayMs =
      entry === undefined || this.#isForgotten(entry, now)
        ? FIRST_DELAY_MS
        : Math.min(LONGEST_DELAY_MS, entry.delayMs * 2)
    this.#entries.set(key, { delayMs, at: now })
  }

  /** What a process before this one has counted: `times` failures in a row, the last at `at`. */
  restore(key: string, times: number, at: number): void {
    if (times <= 0 || this.#entries.has(key)) return
    this.#entries.set(key, { delayMs: Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (times - 1)), at })
  }

  forget(key: string): void {
    this.#entries.delete(key)
  }

  /** What was well for twice the longest delay starts anew. */
  #isForgotten({ at }: Entry, now: number): boolean {
    return now - at > 2 * LONGEST_DELAY_MS
  }
}
