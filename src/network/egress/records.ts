/** Where endpoints may send, and what addresses names have that they asked for. Every function runs inside a transaction of the caller. */
import type { Database } from "../../base/database.ts"

/** An answer that a container heard. */
export interface HeardRow {
  name: string
  address: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/** An endpoint's own rules. */
export interface EgressRow {
  containerId: string
  networkId: string
  /** As `rulesText` makes them. */
  rules: string
}

/** Rows of rules and answers; they go with their endpoint. */
export class EgressRecords {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Those of all endpoints that have some. */
  all(): EgressRow[] {
    return this.#db.all("SELECT container_id AS containerId, network_id AS networkId, rules FROM network_egress")
  }

  /** An endpoint's own rules, as `rulesText` makes them; undefined: it has none, and is not confined by itself. */
  rules(containerId: string, networkId: string): string | undefined {
    const sql = "SELECT rules FROM network_egress WHERE container_id = ? AND network_id = ?"
    return this.#db.get<{ rules: string }>(sql, containerId, networkId)?.rules
  }

  /** Undefined takes them back. */
  setRules(containerId: string, networkId: string, rules: string | undefined): void {
    if (rules === undefined)
      this.#db.run("DELETE FROM network_egress WHERE container_id = ? AND network_id = ?", containerId, networkId)
    else this.#db.run("INSERT OR REPLACE INTO network_egress VALUES (?, ?, ?)", containerId, networkId, rules)
  }

  /** What has not yet lapsed, for all addresses or one. */
  heard(containerId: string, networkId: string, now: number, address?: string): HeardRow[] {
    return this.#db.all<HeardRow>(
      `SELECT name, address, expires_at AS expiresAt FROM network_heard
        WHERE container_id = ? AND network_id = ? AND expires_at > ? AND address = ifnull(?, address)`,
      containerId,
      networkId,
      now,
      address ?? null,
    )
  }

  /** Those beyond so many, without the ones that last longest. */
  heardBeyond(containerId: string, networkId: string, most: number): HeardRow[] {
    return this.#db.all<HeardRow>(
      `SELECT name, address, expires_at AS expiresAt FROM network_heard
        WHERE container_id = ? AND network_id = ? ORDER BY expires_at DESC, name, address LIMIT -1 OFFSET ?`,
      containerId,
      networkId,
      most,
    )
  }

  removeHeard(containerId: string, networkId: string, { name, address }: Pick<HeardRow, "name" | "address">): void {
    const sql = "DELETE FROM network_heard WHERE container_id = ? AND network_id = ? AND name = ? AND address = ?"
    this.#db.run(sql, containerId, networkId, name, address)
  }

  /** Whether the endpoint is on record. */
  hasEndpoint(containerId: string, networkId: string): boolean {
    const sql = "SELECT 1 FROM network_endpoints WHERE container_id = ? AND network_id = ?"
    return this.#db.get(sql, containerId, networkId) !== undefined
  }

  addHeard(containerId: string, networkId: string, { name, address, expiresAt }: HeardRow, now: number): void {
    this.#db.run(
      "DELETE FROM network_heard WHERE container_id = ? AND network_id = ? AND expires_at <= ?",
      containerId,
      networkId,
      now,
    )
    this.#db.run(
      "INSERT OR REPLACE INTO network_heard VALUES (?, ?, ?, ?, ?)",
      containerId,
      networkId,
      name,
      address,
      expiresAt,
    )
  }
}
