import { InvalidArgument } from "../base/errors.ts"
import { reservedAddresses } from "./address-span.ts"
import { broadcastAddress, contains, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import type { Network } from "./network.ts"

/** Throws InvalidArgument for an address that no endpoint of the network may have. */
export function checkGivable(network: Network, text: string): void {
  if (!isGivable(network, text))
    throw new InvalidArgument(`address ${text} cannot be given to a container of network "${network.name}"`, {
      field: "address",
      hint: `choose one in ${network.subnet} other than its first, its last, the gateway ${network.gateway} and what is set aside`,
    })
}

/** Whether an endpoint of the network may have it: not its ends, nor what is set aside. Throws InvalidArgument for no address. */
export function isGivable(network: Network, text: string): boolean {
  const address = parseIpv4(text, "--ip")
  const range = parseIpv4Range(network.subnet)
  const isEnd = address === range.address || address === broadcastAddress(range)
  return contains(range, address) && !isEnd && !reservedAddresses(network).has(address)
}
