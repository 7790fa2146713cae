import type { Database } from "../base/database.ts"
import { InvalidArgument } from "../base/errors.ts"
import { parseIpv4 } from "./ipv4.ts"
import { addLease, addressInUse } from "./leases.ts"
import type { AddressLease, Network } from "./network.ts"
import { checkGivable, EndpointRecords, isHeld } from "./records.ts"

/** See `Networks.lease`. Opens the transaction itself. */
export function leaseAddresses(db: Database, network: Network, lease: AddressLease): void {
  const { containerId, address, address6 } = lease
  if (address6 !== undefined && network.subnet6 === undefined)
    throw new InvalidArgument(`network "${network.name}" has no IPv6 range: it gives no address ${address6}`, {
      field: "address6",
      hint: "make a network with one",
    })
  if (address === undefined) return
  checkGivable(network, address)
  db.transaction(() => {
    const holder = new EndpointRecords(db).addressHolder(network, parseIpv4(address))
    if (holder !== undefined && holder.containerId !== containerId && isHeld(holder, () => true))
      throw addressInUse(address, holder.containerId)
    addLease(db, network, containerId, address)
  })
}
