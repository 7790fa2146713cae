/** Sparse files as GNU tar writes them: its own header type `S`, and the pax forms 0.0, 0.1 and 1.0 (tar manual, D.2). */
import { DataLoss, InvalidArgument } from "../base/errors.ts"
import { parseCount, type PaxRecords } from "./pax.ts"
import { size } from "./tar-header.ts"

/** Data at `offset`; what lies between parts is a hole. */
export interface SparsePart {
  offset: number
  length: number
}

/** Checks the parts: in order, apart, inside the file, and as many bytes as the archive holds. Throws DataLoss. */
export function checkParts(
  parts: readonly SparsePart[],
  file: { sizeBytes: number; storedBytes: number; maxParts: number },
): void {
  if (parts.length > file.maxParts) throw new InvalidArgument(`a sparse file has more than ${file.maxParts} parts`)
  let end = 0
  let stored = 0
  for (const { offset, length } of parts) {
    if (offset < end || offset + length > file.sizeBytes)
      throw new DataLoss("broken tar: the parts of a sparse file overlap or pass its end")
    end = offset + length
    stored += length
  }
  if (stored !== file.storedBytes)
    throw new DataLoss(`broken tar: a sparse file's parts have ${stored} bytes, the archive holds ${file.storedBytes}`)
}

/** Parts of the pax forms 0.0 and 0.1; undefined when the records tell of none. */
export function partsOfPax(pax: PaxRecords): SparsePart[] | undefined {
  const map = pax.values.get("GNU.sparse.map")
  if (map !== undefined) return pair(map === "" ? [] : map.split(",").map((text) => parseCount(text, "GNU.sparse.map")))
  return pax.sparse.length > 0 ? pair(pax.sparse) : undefined
}

/** Parts from numbers in turn: offset, length, offset, length … */
export function pair(numbers: readonly number[]): SparsePart[] {
  if (numbers.length % 2 !== 0) throw new DataLoss("broken tar: the map of a sparse file ends half way")
  const parts: SparsePart[] = []
  for (let at = 0; at < numbers.length; at += 2) parts.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 })
  return parts
}

/** Parts in a header of type `S` (four at 386), or in a block that goes on with them (21 at 0). */
export function partsOfBlock(block: Buffer, start: number, count: number): { parts: SparsePart[]; goesOn: boolean } {
  const parts: SparsePart[] = []
  for (let at = start; parts.length < count && block[at] !== 0; at += 24)
    parts.push({ offset: size(block, at, "sparse offset"), length: size(block, at + 12, "sparse length") })
  return { parts, goesOn: block[start + count * 24] === 1 }
}

/**
 * The map of form 1.0: decimal numbers, a line each, at the start of the file's data, padded to blocks. The first says how
 * many parts follow.
 */
export class SparseMapText {
  readonly #numbers: number[] = []
  #line = ""

  /** Takes one block; gives the parts once they are all there. Throws DataLoss, InvalidArgument. */
  add(block: Buffer, maxParts: number): SparsePart[] | undefined {
    for (const byte of block) {
      if (byte !== 0x0a) {
        this.#line += String.fromCharCode(byte)
        if (this.#line.length > 20) throw new DataLoss("broken tar: the map of a sparse file is not made of numbers")
        continue
      }
      this.#numbers.push(parseCount(this.#line, "GNU sparse map"))
      this.#line = ""
      const [count = 0] = this.#numbers
      if (count > maxParts) throw new InvalidArgument(`a sparse file has more than ${maxParts} parts`)
      if (this.#numbers.length === 1 + count * 2) return pair(this.#numbers.slice(1))
    }
    return undefined
  }
}
