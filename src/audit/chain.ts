import { sha256Hex } from "../sys/sha256.ts"
import type { AuditFault } from "./audit.ts"

/** Before the first row. */
export const NO_HASH = "0".repeat(64)

/** A row as it lies in the table. */
export interface StoredRow {
  seq: number
  entry: string
  hash: string
}

/** Of a row, from that of the row before. Pure. */
export function chainHash(before: string, seq: number, entry: string): string {
  return sha256Hex(`${before}\n${seq}\n${entry}`)
}

/** Looks at rows in order, one after the other, and keeps none. `lastSeq`: the last number that was given. */
export class ChainCheck {
  readonly #faults: AuditFault[] = []
  readonly #noted: string | undefined
  #isNotedThere: boolean
  #hash = NO_HASH
  #seq = 0
  #rows = 0

  constructor(noted?: string) {
    this.#noted = noted
    this.#isNotedThere = noted === undefined || noted === NO_HASH
  }

  add({ seq, entry, hash }: StoredRow): void {
    this.#rows++
    // those between are gone; what follows them cannot fit either, and is checked from its own hash on
    if (seq !== this.#seq + 1)
      this.#fault(seq <= this.#seq ? seq : this.#seq + 1, seq <= this.#seq ? "inserted" : "missing")
    else if (chainHash(this.#hash, seq, entry) !== hash) this.#fault(seq, "changed")
    this.#seq = seq
    this.#hash = hash
    this.#isNotedThere ||= hash === this.#noted
  }

  end(lastSeq: number): { rows: number; head: string; faults: AuditFault[] } {
    if (this.#seq < lastSeq) this.#fault(this.#seq + 1, "cut off")
    if (this.#seq > lastSeq) this.#fault(lastSeq + 1, "inserted")
    if (!this.#isNotedThere) this.#fault(this.#seq, "not the noted head")
    return { rows: this.#rows, head: this.#hash, faults: this.#faults }
  }

  #fault(seq: number, kind: AuditFault["kind"]): void {
    this.#faults.push({ seq, kind })
  }
}
