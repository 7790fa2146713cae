import type { Database } from "../base/database.ts"
import type { Digest } from "../spec/digest.ts"
import { isSameProcessAlive, thisProcess } from "../sys/process/process-identity.ts"
import type { Lease, Leases } from "./content.ts"

const DAY_MS = 24 * 60 * 60 * 1000

/** Leases as rows of the records. One that expired, or whose process is gone, holds nothing. */
export function openLeases({ db }: { db: Database }): Leases {
  return {
    async open({ expiresInMs = DAY_MS } = {}): Promise<Lease> {
      const id = crypto.randomUUID()
      const owner = thisProcess()
      const expiresAt = Date.now() + expiresInMs
      db.run("INSERT INTO leases VALUES (?, ?, ?, ?, ?)", id, expiresAt, owner.pid, owner.startTime, owner.bootId)
      return new RecordedLease(db, id)
    },
    live: () => liveLeases(db),
  }
}

/** Drops leases that expired or whose process is gone; gives what the others hold. To be called in a transaction. */
export function liveLeases(db: Database): { blobs: Digest[]; snapshots: string[] } {
  const leases = db.all<{ id: string; expires_at: number; pid: number; startTime: number; bootId: string }>(
    "SELECT id, expires_at, owner_pid AS pid, owner_start_time AS startTime, owner_boot_id AS bootId FROM leases",
  )
  for (const lease of leases)
    if (lease.expires_at <= Date.now() || !isSameProcessAlive(lease))
      db.run("DELETE FROM leases WHERE id = ?", lease.id)
  return {
    blobs: db.all<{ digest: Digest }>("SELECT digest FROM lease_blobs").map(({ digest }) => digest),
    snapshots: db.all<{ name: string }>("SELECT name FROM lease_snapshots").map(({ name }) => name),
  }
}

class RecordedLease implements Lease {
  readonly id: string
  readonly #db: Database

  constructor(db: Database, id: string) {
    this.#db = db
    this.id = id
  }

  addBlob(digest: Digest): void {
    this.#db.run("INSERT OR IGNORE INTO lease_blobs VALUES (?, ?)", this.id, digest)
  }

  addSnapshot(key: string): void {
    this.#db.run("INSERT OR IGNORE INTO lease_snapshots VALUES (?, ?)", this.id, key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.run("DELETE FROM leases WHERE id = ?", this.id)
  }
}
