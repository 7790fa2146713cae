/**
 * Cuts a stream where its content says (content-defined chunking by a gear hash): bytes that are added or taken away change the
 * parts around them, and no other. Where the cuts are depends on the bytes alone.
 */

/** One pseudo-random number for each byte, the same for ever: other numbers would cut elsewhere, and nothing would be found again. */
const GEAR = gearTable()

/** Makes of pieces of any size parts of about `averageBytes`: a quarter at least, four times at most. */
export class Chunker {
  readonly #least: number
  readonly #most: number
  readonly #mask: number
  #pieces: Uint8Array[] = []
  #size = 0
  #hash = 0

  /** `averageBytes`: a power of two. */
  constructor(averageBytes: number) {
    this.#least = averageBytes / 4
    this.#most = averageBytes * 4
    // the upper bits know the most of the bytes before
    this.#mask = -1 << (32 - Math.log2(averageBytes))
  }

  /** Takes the next bytes, which are the chunker's then; gives the parts that they end. */
  *write(bytes: Uint8Array): Generator<Buffer> {
    let start = 0
    for (let at = 0; at < bytes.length;) {
      const filled = this.#size + at - start
      if (filled < this.#least) {
        at = Math.min(bytes.length, at + this.#least - filled)
        continue
      }
      const [next, isCut] = this.#scan(bytes, at, Math.min(bytes.length, at + this.#most - filled))
      at = next
      if (!isCut && this.#size + at - start < this.#most) continue
      yield this.#take(bytes.subarray(start, at))
      start = at
    }
    if (start === bytes.length) return
    this.#pieces.push(bytes.subarray(start))
    this.#size += bytes.length - start
  }

  /** What is left, when there is nothing more to come. */
  *end(): Generator<Buffer> {
    if (this.#size > 0) yield this.#take(new Uint8Array(0))
  }

  #scan(bytes: Uint8Array, from: number, to: number): [at: number, isCut: boolean] {
    let hash = this.#hash
    for (let at = from; at < to; at++) {
      hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0
      if ((hash & this.#mask) === 0) return [at + 1, true]
    }
    this.#hash = hash
    return [to, false]
  }

  #take(last: Uint8Array): Buffer {
    const part = Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#size = 0
    this.#hash = 0
    return part
  }
}

/** xorshift32, from a number of no meaning. */
function gearTable(): Int32Array {
  const table = new Int32Array(256)
  let state = 0x9e3779b9
  for (let index = 0; index < table.length; index++) {
    for (let round = 0; round < 8; round++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
    }
    table[index] = state
  }
  return table
}
