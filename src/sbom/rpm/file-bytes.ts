import type { RandomFile } from "../file-tree.ts"

/** What a database is read from: all of it, or a file. */
export interface FileBytes {
  readonly length: number
  /** Fewer bytes at its end. They stay as they are. */
  subarray(start: number, end: number): Buffer
}

/** Of one package: the largest have some MB. */
export const MAX_HEADER_BYTES = 32 * 1024 ** 2

const BLOCK_BYTES = 64 * 1024
const MAX_BLOCKS = 16

/** A file whose blocks are read when they are asked for, and of which few are kept: a database may have hundreds of MB. */
export class BlockFile implements FileBytes {
  readonly length: number
  readonly #file: RandomFile
  readonly #blocks = new Map<number, Buffer>()

  constructor(file: RandomFile) {
    this.length = file.sizeBytes
    this.#file = file
  }

  subarray(start: number, end: number): Buffer {
    const number = Math.floor(start / BLOCK_BYTES)
    const first = number * BLOCK_BYTES
    if (end > first + BLOCK_BYTES) return this.#file.read(start, end - start)
    return this.#block(number).subarray(start - first, end - first)
  }

  #block(number: number): Buffer {
    const known = this.#blocks.get(number)
    if (known !== undefined) return known
    const block = this.#file.read(number * BLOCK_BYTES, BLOCK_BYTES)
    const oldest = this.#blocks.size < MAX_BLOCKS ? undefined : this.#blocks.keys().next().value
    if (oldest !== undefined) this.#blocks.delete(oldest)
    this.#blocks.set(number, block)
    return block
  }
}
