import { NotFound } from "../../base/errors.ts"
import { BuildRecords, type BuildRecord, type LayerFacts, type NewRecord } from "../solve/records.ts"

/**
 * Records of a build that finds nothing in the cache and leaves nothing in it: they are in memory alone. Its snapshots are
 * held by the build's lease, and collected once that is gone, also after a kill.
 */
export class ThrowAwayRecords extends BuildRecords {
  readonly #records = new Map<string, BuildRecord>()

  override find(id: string): BuildRecord | undefined {
    return this.#records.get(id)
  }

  override get(id: string): BuildRecord {
    const record = this.#records.get(id)
    if (record === undefined) throw new NotFound(`the build made no step ${id}`)
    return record
  }

  override findByKey(): undefined {}

  override closest(): undefined {}

  override chain(id: string): BuildRecord[] {
    const { parentId, ...record } = this.get(id)
    return [...(parentId === undefined ? [] : this.chain(parentId)), { ...record, parentId }]
  }

  override insert(record: NewRecord): void {
    const now = new Date()
    const { createdAt = now } = record
    this.#records.set(record.id, { ...record, createdAt, lastUsedAt: now, uses: 0, facts: undefined })
  }

  override addKeys(): void {}

  override setFacts(id: string, facts: LayerFacts): void {
    this.get(id).facts = facts
  }

  override setSnapshot(id: string, name: BuildRecord["snapshot"]): void {
    this.get(id).snapshot = name
  }

  override countUse(): void {}

  override list(): BuildRecord[] {
    return [...this.#records.values()]
  }

  override delete(id: string): boolean {
    return this.#records.delete(id)
  }
}
