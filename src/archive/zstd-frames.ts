import { DataLoss } from "../base/errors.ts"

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const MAX_WINDOW_BYTES = 128 << 20

/** What the bytes gathered next are, and how many of them are needed. */
type Need = { field: "magic" | "descriptor" | "header" | "skip-size" | "block" | "checksum"; count: number }

/**
 * Follows the frames of a zstd stream without decompressing them (RFC 8878, 3.1), to tell a whole stream from a truncated
 * one: the decompressor ends quietly at both.
 */
export class ZstdFrames {
  readonly #field = Buffer.alloc(18)
  #filled = 0
  #need: Need = { field: "magic", count: 4 }
  /** Content that says nothing about the structure. */
  #skip = 0
  #descriptor = 0

  /** Takes compressed bytes. Throws DataLoss where no frame can be. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(this.#skip > 0 ? this.#skip : this.#need.count - this.#filled, bytes.length - at)
      if (this.#skip > 0) this.#skip -= count
      else {
        this.#field.set(bytes.subarray(at, at + count), this.#filled)
        this.#filled += count
        if (this.#filled === this.#need.count) this.#onField()
      }
      at += count
    }
  }

  /** After the last byte. Throws DataLoss within a frame. */
  finish(): void {
    if (this.#skip > 0 || this.#filled > 0 || this.#need.field !== "magic")
      throw new DataLoss("the zstd stream is truncated", { hint: "fetch it again" })
  }

  #onField(): void {
    const field = this.#field
    this.#filled = 0
    switch (this.#need.field) {
      case "magic":
        return this.#onMagic(field.readUInt32LE(0))
      case "skip-size":
        this.#skip = field.readUInt32LE(0)
        return this.#expect("magic", 4)
      case "descriptor":
        this.#descriptor = field[0] ?? 0
        return this.#expectHeader()
      case "header":
        this.#checkWindow()
        return this.#expect("block", 3)
      case "block":
        return this.#onBlock(field.readUIntLE(0, 3))
      case "checksum":
        return this.#expect("magic", 4)
    }
  }

  #onMagic(magic: number): void {
    if (magic === MAGIC) return this.#expect("descriptor", 1)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) return this.#expect("skip-size", 4)
    throw new DataLoss("the zstd stream is damaged: no frame begins where one should")
  }

  /** 3.1.1.1: the descriptor tells which fields follow it. */
  #expectHeader(): void {
    const isSingle = (this.#descriptor & 0x20) !== 0
    const dictionary = [0, 1, 2, 4][this.#descriptor & 3] ?? 0
    const contentSize = [isSingle ? 1 : 0, 2, 4, 8][this.#descriptor >> 6] ?? 0
    const count = (isSingle ? 0 : 1) + dictionary + contentSize
    this.#expect(count === 0 ? "block" : "header", count === 0 ? 3 : count)
  }

  /** 3.1.1.1.2: what the decompressor must keep in memory. */
  #checkWindow(): void {
    if (this.#descriptor & 0x20) return
    const [window = 0] = this.#field
    const base = 2 ** (10 + (window >> 3))
    if (base + (base / 8) * (window & 7) > MAX_WINDOW_BYTES)
      throw new DataLoss("the zstd stream asks for a window of more than 128 MiB", {
        hint: "compress it with a smaller window (zstd up to level 19)",
      })
  }

  /** 3.1.1.2: last block, type and size in 24 bits; a run-length block holds one byte. */
  #onBlock(header: number): void {
    const type = (header >> 1) & 3
    if (type === 3) throw new DataLoss("the zstd stream is damaged: a block of reserved type")
    this.#skip = type === 1 ? 1 : header >> 3
    if ((header & 1) === 0) return this.#expect("block", 3)
    if (this.#descriptor & 4) this.#expect("checksum", 4)
    else this.#expect("magic", 4)
  }

  #expect(field: Need["field"], count: number): void {
    this.#need = { field, count }
  }
}
