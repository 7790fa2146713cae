/** Addresses that are somebody's whether they run or not: those that were asked for. Every function runs inside a transaction of the caller. */
import type { Database } from "../base/database.ts"
import { AlreadyExists } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import type { Network } from "./network.ts"

/** The container, or the sandbox, that has leased an address; undefined: nobody. */
export function leaseHolder(db: Database, { id }: Pick<Network, "id">, address: string): string | undefined {
  const sql = "SELECT container_id AS holder FROM network_leases WHERE network_id = ? AND address = ?"
  return db.get<{ holder: string }>(sql, id, address)?.holder
}

/** Safe to repeat. Throws AlreadyExists. */
export function addLease(db: Database, network: Network, containerId: string, address: string): void {
  const holder = leaseHolder(db, network, address)
  if (holder === containerId) return
  if (holder !== undefined) throw addressInUse(address, holder)
  db.run("INSERT INTO network_leases VALUES (?, ?, ?)", network.id, address, containerId)
}

/** All of a container, or those in one network. Safe to repeat. */
export function removeLeases(db: Database, containerId: string, network?: Pick<Network, "id">): void {
  const sql = "DELETE FROM network_leases WHERE container_id = ? AND network_id = ifnull(?, network_id)"
  db.run(sql, containerId, network?.id ?? null)
}

/** By name it is known to the domain of containers alone. */
export function addressInUse(address: string, holder: string): AlreadyExists {
  return new AlreadyExists(`address ${address} is in use by container ${shortId(holder)}`, {
    field: "address",
    hint: "choose another address",
    data: { addressTakenBy: holder },
  })
}
