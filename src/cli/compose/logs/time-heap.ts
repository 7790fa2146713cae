/** What has a time that may change. */
interface Timed {
  readonly time: string
}

/** A binary heap: the one with the earliest time stands first. */
export class TimeHeap<T extends Timed> {
  readonly #items: T[] = []

  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Takes the first one out. */
  shift(): T | undefined {
    const [first] = this.#items
    const last = this.#items.pop()
    if (first === last || last === undefined) return first
    this.#items[0] = last
    this.sinkFirst()
    return first
  }

  /** The time of the first one has grown. */
  sinkFirst(): void {
    const { length } = this.#items
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (left < length && this.#isBefore(left, least)) least = left
      if (right < length && this.#isBefore(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#items[a], this.#items[b]]
    return one !== undefined && other !== undefined && one.time < other.time
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#items[a], this.#items[b]]
    if (one === undefined || other === undefined) return
    this.#items[a] = other
    this.#items[b] = one
  }
}
