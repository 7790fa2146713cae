import { endianness } from "node:os"

const WORD_BYTES = 4
const isLittleEndian = endianness() === "LE"

/**
 * CRC-64 of ISO 3309 as tar-split keeps it of each file. The polynomial x⁶⁴+x⁴+x³+x+1 is so sparse that 32 bits at once take a
 * few shifts, and no table: 32 bits later none of its terms has come back to the low end.
 */
export class Crc64 {
  #low = -1
  #high = -1
  /** Bytes that make no whole word yet. */
  #rest: number[] = []

  update(bytes: Uint8Array): void {
    let at = 0
    while (this.#rest.length > 0 && at < bytes.length) this.#push(bytes[at++] ?? 0)
    const words = Math.floor((bytes.length - at) / WORD_BYTES)
    this.#words(bytes, at, words)
    for (at += words * WORD_BYTES; at < bytes.length; at++) this.#push(bytes[at] ?? 0)
  }

  /** Eight bytes, the highest first. */
  digest(): Buffer {
    let [low, high] = [this.#low, this.#high]
    for (const byte of this.#rest) {
      const x = (low ^ byte) & 0xff
      low = (low >>> 8) ^ (high << 24)
      high = (high >>> 8) ^ (x << 24) ^ (x << 23) ^ (x << 21) ^ (x << 20)
    }
    const sum = Buffer.alloc(8)
    sum.writeUInt32BE(~high >>> 0, 0)
    sum.writeUInt32BE(~low >>> 0, 4)
    return sum
  }

  #push(byte: number): void {
    this.#rest.push(byte)
    if (this.#rest.length < WORD_BYTES) return
    const word = Buffer.from(this.#rest)
    this.#rest = []
    this.#words(word, 0, 1)
  }

  #words(bytes: Uint8Array, start: number, count: number): void {
    let [low, high] = [this.#low, this.#high]
    const offset = bytes.byteOffset + start
    if (isLittleEndian && offset % WORD_BYTES === 0) {
      const words = new Int32Array(bytes.buffer, offset, count)
      for (let index = 0; index < count; index++) {
        const x = low ^ (words[index] ?? 0)
        low = high ^ (x << 31) ^ (x << 29) ^ (x << 28)
        high = x ^ (x >>> 1) ^ (x >>> 3) ^ (x >>> 4)
      }
    } else {
      const view = new DataView(bytes.buffer, offset, count * WORD_BYTES)
      for (let at = 0; at < count * WORD_BYTES; at += WORD_BYTES) {
        const x = low ^ view.getInt32(at, true)
        low = high ^ (x << 31) ^ (x << 29) ^ (x << 28)
        high = x ^ (x >>> 1) ^ (x >>> 3) ^ (x >>> 4)
      }
    }
    this.#low = low
    this.#high = high
  }
}
