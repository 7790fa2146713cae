import type { Database } from "../base/database.ts"
import { givableAddress6 } from "./choose-ipv6.ts"
import { checkGivable } from "./givable-address.ts"
import { parseIpv4 } from "./ipv4.ts"
import { addLease, addressInUse } from "./leases.ts"
import type { AddressLease, Network } from "./network.ts"
import { EndpointRecords, isHeld, type EndpointRow } from "./records.ts"

/** See `Networks.lease`. Opens the transaction itself. */
export function leaseAddresses(db: Database, network: Network, lease: AddressLease): void {
  const { containerId, address } = lease
  const address6 = lease.address6 === undefined ? undefined : givableAddress6(network, lease.address6)
  if (address !== undefined) checkGivable(network, address)
  db.transaction(() => {
    const records = new EndpointRecords(db)
    const take = (text: string, holder: EndpointRow | undefined): void => {
      if (holder !== undefined && holder.containerId !== containerId && isHeld(holder, () => true))
        throw addressInUse(text, holder.containerId)
      addLease(db, network, containerId, text)
    }
    if (address !== undefined) take(address, records.addressHolder(network, parseIpv4(address)))
    if (address6 !== undefined) take(address6, records.address6Holder(network, address6))
  })
}
