import type { Database } from "../../base/database.ts"
import { NotFound } from "../../base/errors.ts"
import type { ChainId, DiffId } from "../../spec/digest.ts"
import type { KeyPart } from "./key.ts"

/** One step's layer, as the cache knows it. */
export interface BuildRecord {
  id: string
  parentId: string | undefined
  /** Its committed snapshot: a name of its own at first, the chain id once an image has it. */
  snapshot: ChainId
  /** Where it stood in its Dockerfile: `[build 2/5]`. */
  slot: string
  description: string
  parts: readonly KeyPart[]
  createdAt: Date
  lastUsedAt: Date
  uses: number
  facts: LayerFacts | undefined
}

/** What is known of a layer once it has been read. */
export interface LayerFacts {
  diffId: DiffId
  tarBytes: number
  /** Of its files. */
  contentBytes: number
}

interface Row {
  id: string
  parent_id: string | null
  snapshot: ChainId
  slot: string
  description: string
  parts: string
  created_ms: number
  last_used_ms: number
  uses: number
  diff_id: DiffId | null
  tar_bytes: number | null
  content_bytes: number | null
}

/** A row that is to be written. */
export type NewRecord = Pick<BuildRecord, "id" | "parentId" | "snapshot" | "slot" | "description" | "parts"> & {
  /** Undefined: now. */
  createdAt?: Date
}

/** The rows of the build cache. Every call is one short statement or transaction. */
export class BuildRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  transaction<T>(body: () => T): T {
    return this.#db.transaction(body)
  }

  find(id: string): BuildRecord | undefined {
    const row = this.#db.get<Row>("SELECT * FROM build_records WHERE id = ?", id)
    return row && toRecord(row)
  }

  /** Throws NotFound: another process pruned it. */
  get(id: string): BuildRecord {
    const record = this.find(id)
    if (record) return record
    throw new NotFound(`the build cache has no record ${id} any more`, { hint: "build again" })
  }

  findByKey(key: string): BuildRecord | undefined {
    const row = this.#db.get<Row>(
      "SELECT r.* FROM build_keys k JOIN build_records r ON r.id = k.record_id WHERE k.key = ?",
      key,
    )
    return row && toRecord(row)
  }

  /** The record and those it stands on, lowest first. */
  chain(id: string): BuildRecord[] {
    return this.#db
      .all<Row>(
        `WITH RECURSIVE chain(depth, id) AS (
           SELECT 0, ?1 UNION ALL
           SELECT depth + 1, r.parent_id FROM chain JOIN build_records r ON r.id = chain.id WHERE r.parent_id IS NOT NULL
         ) SELECT r.* FROM chain JOIN build_records r ON r.id = chain.id ORDER BY depth DESC`,
        id,
      )
      .map(toRecord)
  }

  /** The newest of this description, else of this place over the same record: what a miss is compared with. */
  closest(description: string, slot: string, parentId: string | undefined): BuildRecord | undefined {
    const row =
      this.#db.get<Row>(
        "SELECT * FROM build_records WHERE description = ? ORDER BY created_ms DESC LIMIT 1",
        description,
      ) ??
      this.#db.get<Row>(
        "SELECT * FROM build_records WHERE slot = ? AND parent_id IS ? ORDER BY created_ms DESC LIMIT 1",
        slot,
        parentId ?? null,
      )
    return row && toRecord(row)
  }

  /** Writes a new record; its keys lead to it from now on, whatever they led to before. */
  insert(record: NewRecord, keys: readonly string[]): void {
    const now = Date.now()
    this.transaction(() => {
      this.#db.run(
        `INSERT INTO build_records (id, parent_id, snapshot, slot, description, parts, created_ms, last_used_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        record.id,
        record.parentId ?? null,
        record.snapshot,
        record.slot,
        record.description,
        JSON.stringify(record.parts),
        record.createdAt?.getTime() ?? now,
        now,
      )
      this.addKeys(record.id, keys)
    })
  }

  addKeys(id: string, keys: readonly string[]): void {
    for (const key of keys) this.#db.run("INSERT OR REPLACE INTO build_keys VALUES (?, ?)", key, id)
  }

  /** `waste`: bytes of layers below that this one hides, by record. */
  setFacts(id: string, { diffId, tarBytes, contentBytes }: LayerFacts, waste: ReadonlyMap<string, number>): void {
    this.transaction(() => {
      this.#db.run(
        "UPDATE build_records SET diff_id = ?, tar_bytes = ?, content_bytes = ? WHERE id = ?",
        diffId,
        tarBytes,
        contentBytes,
        id,
      )
      for (const [below, bytes] of waste)
        this.#db.run("INSERT OR REPLACE INTO build_waste VALUES (?, ?, ?)", below, id, bytes)
    })
  }

  /** Bytes of a layer that others of these take away again. */
  wasteOf(id: string, others: ReadonlySet<string>): number {
    return this.#db
      .all<{ by: string; bytes: number }>("SELECT by_id AS by, bytes FROM build_waste WHERE record_id = ?", id)
      .reduce((sum, { by, bytes }) => (others.has(by) ? sum + bytes : sum), 0)
  }

  setSnapshot(id: string, name: ChainId): void {
    this.#db.run("UPDATE build_records SET snapshot = ? WHERE id = ?", name, id)
  }

  countUse(ids: readonly string[]): void {
    const now = Date.now()
    for (const id of ids)
      this.#db.run("UPDATE build_records SET uses = uses + 1, last_used_ms = ? WHERE id = ?", now, id)
  }

  list(): BuildRecord[] {
    return this.#db.all<Row>("SELECT * FROM build_records ORDER BY created_ms").map(toRecord)
  }

  /** Takes the record away; false while another stands on it. Its snapshot is the collector's. */
  delete(id: string): boolean {
    return (
      this.#db.run(
        "DELETE FROM build_records WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM build_records WHERE parent_id = ?1)",
        id,
      ) > 0
    )
  }
}

/** The snapshots that the cache needs: never collected. Reads the records when called. */
export function referencedByBuilds(db: Database): { snapshots: string[] } {
  return { snapshots: db.all<{ name: string }>("SELECT snapshot AS name FROM build_records").map(({ name }) => name) }
}

function toRecord(row: Row): BuildRecord {
  const { diff_id: diffId, tar_bytes: tarBytes, content_bytes: contentBytes } = row
  return {
    id: row.id,
    parentId: row.parent_id ?? undefined,
    snapshot: row.snapshot,
    slot: row.slot,
    description: row.description,
    parts: JSON.parse(row.parts) as KeyPart[],
    createdAt: new Date(row.created_ms),
    lastUsedAt: new Date(row.last_used_ms),
    uses: row.uses,
    facts:
      diffId === null || tarBytes === null || contentBytes === null ? undefined : { diffId, tarBytes, contentBytes },
  }
}
