import type { Database } from "../base/database.ts"
import { AlreadyExists, FailedPrecondition, NotFound, Unavailable } from "../base/errors.ts"
import type { ChainId } from "../spec/digest.ts"
import { isSameProcessAlive, thisProcess } from "../sys/process/process-identity.ts"
import type { SnapshotInfo } from "./snapshot.ts"

/** One row: a directory `layers/<directory>` and what it is. */
export interface LayerRow {
  id: number
  name: string
  kind: SnapshotInfo["kind"]
  parent_id: number | null
  created_at: number
  opaque_root: number
  volatile: number
  owner_pid: number | null
  owner_start_time: number | null
  owner_boot_id: string | null
}

/** Short, so that a mount's 4,095 bytes hold hundreds of them. */
export function directoryOf(row: { id: number }): string {
  return row.id.toString(36)
}

/** The rows of a store's snapshots. All calls are short transactions. */
export class SnapshotRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** See `Database.whenFree`. */
  whenFree(signal?: AbortSignal): Promise<void> {
    return this.#db.whenFree(signal)
  }

  find(name: string): LayerRow | undefined {
    return this.#db.get<LayerRow>("SELECT * FROM snapshots WHERE name = ?", name)
  }

  get(name: string): LayerRow {
    const row = this.find(name)
    if (row === undefined) throw new NotFound(`no such snapshot: "${name}"`)
    return row
  }

  all(): (LayerRow & { parent_name: string | null })[] {
    return this.#db.all(
      "SELECT s.*, p.name AS parent_name FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id",
    )
  }

  infoOf(row: LayerRow & { parent_name?: string | null }): SnapshotInfo {
    const parent =
      row.parent_name === undefined && row.parent_id !== null
        ? this.#db.get<{ name: string }>("SELECT name FROM snapshots WHERE id = ?", row.parent_id)?.name
        : row.parent_name
    return {
      name: row.name,
      ...(parent == null ? {} : { parent: parent as ChainId }),
      kind: row.kind,
      createdAt: new Date(row.created_at),
      ...(row.kind === "stage" ? { ownerAlive: isOwnerAlive(row) } : {}),
    }
  }

  /** The committed snapshots below `row`, nearest first, down to one whose root hides what is under it. */
  chainBelow(row: LayerRow): LayerRow[] {
    return this.#db.all<LayerRow>(
      `WITH RECURSIVE chain(depth, id) AS (
         SELECT 1, ?1 WHERE ?1 IS NOT NULL
         UNION ALL SELECT depth + 1, s.parent_id FROM chain JOIN snapshots s ON s.id = chain.id
         WHERE s.parent_id IS NOT NULL AND s.opaque_root = 0
       ) SELECT s.* FROM chain JOIN snapshots s ON s.id = chain.id ORDER BY depth`,
      row.parent_id,
    )
  }

  /** Throws AlreadyExists; NotFound when the parent is not committed. */
  insert(name: string, kind: LayerRow["kind"], parent?: ChainId, options: { volatile?: boolean } = {}): LayerRow {
    // a volatile one must know its boot: see `mount`
    const owner = kind === "stage" || options.volatile ? thisProcess() : undefined
    return this.#db.transaction(() => {
      if (this.find(name) !== undefined) throw new AlreadyExists(`snapshot "${name}" already exists`)
      this.#db.run(
        `INSERT INTO snapshots (name, kind, parent_id, created_at, volatile, owner_pid, owner_start_time, owner_boot_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        name,
        kind,
        this.#committedId(parent),
        Date.now(),
        options.volatile ? 1 : 0,
        owner?.pid ?? null,
        owner?.startTime ?? null,
        owner?.bootId ?? null,
      )
      return this.get(name)
    })
  }

  /** Takes the stage `key` away from a process that is gone. Throws Unavailable when it lives, or is this one. */
  dropStage(key: string): void {
    this.#db.transaction(() => {
      const row = this.find(key)
      if (row === undefined) return
      if (row.kind !== "stage") throw new AlreadyExists(`snapshot "${key}" already exists`)
      if (row.owner_pid !== process.pid && isOwnerAlive(row))
        throw new Unavailable(`"${key}" is being extracted by process ${row.owner_pid}`, { hint: "wait for it" })
      this.forget(key)
    })
  }

  /** Gives `key` its final name. False when `name` was there already: `key`'s record is then gone. */
  rename(key: string, name: ChainId, options: { parent?: ChainId; setParent: boolean; opaqueRoot: boolean }): boolean {
    return this.#db.transaction(() => {
      const row = this.get(key)
      if (this.find(name) !== undefined) {
        this.forget(key)
        return false
      }
      this.#db.run(
        `UPDATE snapshots SET name = ?, kind = 'committed', parent_id = ?, opaque_root = ?, volatile = 0,
           owner_pid = NULL, owner_start_time = NULL, owner_boot_id = NULL WHERE id = ?`,
        name,
        options.setParent ? this.#committedId(options.parent) : row.parent_id,
        options.opaqueRoot ? 1 : 0,
        row.id,
      )
      return true
    })
  }

  /** False when `to` is there. Children and mounts know a row by its id, which stays. */
  renameCommitted(from: string, to: ChainId): boolean {
    return this.#db.transaction(() => {
      const id = this.#committedId(from as ChainId)
      if (this.find(to) !== undefined) return false
      this.#db.run("UPDATE snapshots SET name = ? WHERE id = ?", to, id)
      return true
    })
  }

  /** Removes the row. Throws FailedPrecondition when others stand on it. Safe to repeat. */
  forget(name: string): void {
    this.#db.transaction(() => {
      const row = this.find(name)
      if (row === undefined) return
      const child = this.#db.get<{ name: string }>("SELECT name FROM snapshots WHERE parent_id = ? LIMIT 1", row.id)
      if (child !== undefined)
        throw new FailedPrecondition(`snapshot "${name}" is in use: "${child.name}" is built on it`, {
          hint: "remove the containers and images that use it first",
        })
      this.#db.run("DELETE FROM snapshots WHERE id = ?", row.id)
    })
  }

  #committedId(name: ChainId | undefined): number | null {
    if (name === undefined) return null
    const row = this.get(name)
    if (row.kind !== "committed") throw new FailedPrecondition(`snapshot "${name}" is not committed yet`)
    return row.id
  }
}

function isOwnerAlive(row: LayerRow): boolean {
  const { owner_pid: pid, owner_start_time: startTime, owner_boot_id: bootId } = row
  return pid !== null && startTime !== null && bootId !== null && isSameProcessAlive({ pid, startTime, bootId })
}
