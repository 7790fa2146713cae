/** Of 60 KiB each: what is kept of all indexes together. */
const MAX_PAGES = 768

/** The pages of files that were read last. */
export class PageCache {
  readonly #pages = new Map<number, Buffer>()
  #readers = 0
  #lastKey = -1
  #last: Buffer | undefined

  newReader(): number {
    return this.#readers++
  }

  /** A page, read where it is not here. What was given stays as it is, whatever is read later. */
  get(reader: number, page: number, read: () => Buffer): Buffer {
    // 2^31 pages on both sides of zero, for each reader
    const key = reader * 2 ** 32 + 2 ** 31 + page
    if (key === this.#lastKey && this.#last !== undefined) return this.#last
    let found = this.#pages.get(key)
    if (found === undefined) {
      found = read()
      const oldest = this.#pages.size < MAX_PAGES ? undefined : this.#pages.keys().next().value
      if (oldest !== undefined) this.#pages.delete(oldest)
    } else this.#pages.delete(key)
    this.#pages.set(key, found)
    this.#lastKey = key
    this.#last = found
    return found
  }
}
