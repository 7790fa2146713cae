/** Which IPv4 addresses a network gives to containers. Pure. */
import { InvalidArgument } from "../base/errors.ts"
import { broadcastAddress, contains, formatIpv4, networkAddress, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import type { Network } from "./network.ts"

/** Addresses from the first to the last, both counted. */
export interface AddressSpan {
  first: number
  last: number
}

/**
 * Parses an address range as `172.20.5.0/24`, whose first address is not given (Podman's rule), or `172.20.5.10-172.20.5.50`. Throws
 * InvalidArgument.
 */
export function parseAddressSpan(text: string): AddressSpan {
  const [first = "", last, ...more] = text.split("-")
  if (last !== undefined && more.length === 0) {
    const span = { first: parseIpv4(first, "range"), last: parseIpv4(last, "range") }
    if (span.first <= span.last) return span
    throw new InvalidArgument(`invalid range "${text}": it ends before it begins`, { field: "options.ipRange" })
  }
  const [, base = "", length = ""] = /^([^/]+)\/(\d{1,2})$/.exec(text) ?? []
  if (length === "" || Number(length) > 32)
    throw new InvalidArgument(`invalid range "${text}"`, {
      field: "options.ipRange",
      hint: "expected a range such as 172.20.5.0/24, or 172.20.5.10-172.20.5.50",
    })
  const address = networkAddress(parseIpv4(base, "range"), Number(length))
  const range = { address, prefixLength: Number(length) }
  return { first: range.prefixLength >= 31 ? address : address + 1, last: broadcastAddress(range) }
}

/** What may be given: the asked part of the subnet, without its own two ends. */
export function givenSpan({ subnet, options }: Pick<Network, "subnet" | "options">): AddressSpan {
  const range = parseIpv4Range(subnet)
  const whole = { first: range.address + 1, last: broadcastAddress(range) - 1 }
  if (options.ipRange === undefined) return whole
  const asked = parseAddressSpan(options.ipRange)
  return { first: Math.max(whole.first, asked.first), last: Math.min(whole.last, asked.last) }
}

/** Addresses of the subnet that are somebody's already: the gateway's, and those that the user set aside. */
export function reservedAddresses({
  gateway,
  options: { auxiliary = {} },
}: Pick<Network, "gateway" | "options">): ReadonlySet<number> {
  const ipv4 = Object.values(auxiliary).filter((address) => !address.includes(":"))
  return new Set([gateway, ...ipv4].map((address) => parseIpv4(address)))
}

/** The first address of the subnet that no name was given to. */
export function firstFreeAddress(subnet: string, auxiliary: Readonly<Record<string, string>> = {}): string {
  const range = parseIpv4Range(subnet)
  const taken = new Set(Object.values(auxiliary))
  for (let address = range.address + 1; contains(range, address); address++)
    if (!taken.has(formatIpv4(address))) return formatIpv4(address)
  throw new InvalidArgument(`subnet ${subnet} has no address left for its gateway`, { field: "gateway" })
}
