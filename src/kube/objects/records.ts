import type { Database } from "../../base/database.ts"
import type { Seal } from "./seal.ts"
import type { ObjectChange, StoredObject } from "./objects.ts"

/** So many changes are kept for watchers that come back: who was away longer lists anew (Expired). */
const KEPT_CHANGES = 5_000
/** How often the old ones are removed: each time costs one statement. */
const TRIM_EVERY = 500

const SEALED_RESOURCE = "secrets"

interface Row {
  object: Uint8Array
}
/** Of a kind that is not sealed: SQLite makes the text, which costs half of what it does here. */
interface TextRow {
  object: string
}
interface ChangeRow extends Row {
  version: number
  type: ObjectChange["type"]
  resource: string
}

/** A change as it is kept. */
export interface KeptChange extends ObjectChange {
  version: number
}

/** The rows of objects and of their changes. Writing is for who is in a transaction. */
export class ObjectRecords {
  readonly #db: Database
  readonly #seal: Seal
  readonly #onChange: (resource: string) => void

  constructor(db: Database, seal: Seal, onChange: (resource: string) => void = () => {}) {
    this.#db = db
    this.#seal = seal
    this.#onChange = onChange
  }

  find(resource: string, namespace: string, name: string): StoredObject | undefined {
    const row = this.#db.get<Row>(
      "SELECT object FROM kube_objects WHERE resource = ? AND namespace = ? AND name = ?",
      resource,
      namespace,
      name,
    )
    return row && this.#read(resource, row.object)
  }

  /** Ordered by namespace and name. */
  list(resource: string, namespace?: string): StoredObject[] {
    const isSealed = resource === SEALED_RESOURCE
    const column = isSealed ? "object" : "CAST(object AS TEXT) AS object"
    const place = namespace === undefined ? "" : " AND namespace = ?"
    const rows = this.#db.all<Row | TextRow>(
      `SELECT ${column} FROM kube_objects WHERE resource = ?${place} ORDER BY namespace, name`,
      resource,
      ...(namespace === undefined ? [] : [namespace]),
    )
    return rows.map(({ object }) =>
      typeof object === "string" ? (JSON.parse(object) as StoredObject) : this.#read(resource, object),
    )
  }

  /** Of every kind, with their resources. */
  all(): [string, StoredObject][] {
    return this.#db
      .all<Row & { resource: string }>("SELECT resource, object FROM kube_objects")
      .map(({ resource, object }) => [resource, this.#read(resource, object)])
  }

  hasAny(): boolean {
    return this.#db.get("SELECT 1 FROM kube_objects LIMIT 1") !== undefined
  }

  /** Keys of resources of which there are objects in this namespace. */
  resourcesIn(namespace: string): string[] {
    return this.#db
      .all<{ resource: string }>("SELECT DISTINCT resource FROM kube_objects WHERE namespace = ?", namespace)
      .map(({ resource }) => resource)
  }

  /** Of the newest change; it never falls, whatever was removed. */
  version(): number {
    return this.#db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'kube_changes'")?.seq ?? 0
  }

  /** The oldest change that is kept; 0: there is none. */
  oldestChange(): number {
    return this.#db.get<{ version: number | null }>("SELECT min(version) AS version FROM kube_changes")?.version ?? 0
  }

  /** Writes `object`, with the number of this change as its resourceVersion, over what has its name. Returns what is kept. */
  put(type: "ADDED" | "MODIFIED", resource: string, object: StoredObject): StoredObject {
    const version = this.version() + 1
    const kept = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } }
    const bytes = this.#write(resource, kept)
    const { namespace = "", name, uid, deletionTimestamp } = kept.metadata
    this.#db.run(
      "INSERT OR REPLACE INTO kube_objects (resource, namespace, name, uid, version, deleting, object) VALUES (?, ?, ?, ?, ?, ?, ?)",
      resource,
      namespace,
      name,
      uid,
      version,
      deletionTimestamp === undefined ? 0 : 1,
      bytes,
    )
    this.#change(version, type, resource, namespace, bytes)
    return kept
  }

  remove(resource: string, object: StoredObject): StoredObject {
    const version = this.version() + 1
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } }
    const { namespace = "", name } = object.metadata
    this.#db.run(
      "DELETE FROM kube_objects WHERE resource = ? AND namespace = ? AND name = ?",
      resource,
      namespace,
      name,
    )
    this.#change(version, "DELETED", resource, namespace, this.#write(resource, last))
    return last
  }

  /** Oldest first. */
  changesAfter(version: number, limit: number): KeptChange[] {
    return this.#db
      .all<ChangeRow>("SELECT * FROM kube_changes WHERE version > ? ORDER BY version LIMIT ?", version, limit)
      .map((row) => ({
        version: row.version,
        type: row.type,
        resource: row.resource,
        object: this.#read(row.resource, row.object),
      }))
  }

  #change(version: number, type: string, resource: string, namespace: string, bytes: Uint8Array): void {
    this.#db.run(
      "INSERT INTO kube_changes (version, type, resource, namespace, object) VALUES (?, ?, ?, ?, ?)",
      version,
      type,
      resource,
      namespace,
      bytes,
    )
    this.#onChange(resource)
    if (version % TRIM_EVERY === 0) this.#db.run("DELETE FROM kube_changes WHERE version <= ?", version - KEPT_CHANGES)
  }

  #write(resource: string, object: StoredObject): Uint8Array {
    const text = JSON.stringify(object)
    return resource === SEALED_RESOURCE ? this.#seal.seal(text) : Buffer.from(text)
  }

  #read(resource: string, bytes: Uint8Array): StoredObject {
    const text = resource === SEALED_RESOURCE ? this.#seal.open(bytes) : Buffer.from(bytes).toString()
    return JSON.parse(text) as StoredObject
  }
}
