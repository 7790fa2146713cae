/** The ranges that a user wants a network to have, and what lies in them. Pure. */
import { InvalidArgument, isSkiffError } from "../base/errors.ts"
import { firstFreeAddress, parseAddressSpan } from "./address-span.ts"
import { broadcastAddress, contains, formatIpv4, overlaps, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import {
  formatIpv6,
  formatIpv6Range,
  ipv6Contains,
  ipv6Overlaps,
  lastIpv6Address,
  parseIpv6,
  parseIpv6Range,
} from "./ipv6.ts"
import type { NetworkWanted } from "./network.ts"

/** A bridge and one container. */
const LONGEST_PREFIX = 30
const LONGEST_PREFIX6 = 126

/** Ranges with a meaning of their own (RFC 6890): the host's loopback, link-local and multicast addresses. */
const SPECIAL = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"].map(parseIpv4Range)
const SPECIAL6 = ["::/16", "fe80::/10", "ff00::/8"].map(parseIpv6Range)

/** Subnet and gateway in their shortest form; nothing where no subnet is wanted. Throws InvalidArgument. */
export function checkIpv4({ subnet, gateway, options = {} }: NetworkWanted): { subnet?: string; gateway?: string } {
  if (subnet === undefined) {
    if (gateway !== undefined || options.ipRange !== undefined) throw withoutSubnet()
    return {}
  }
  const range = asSubnet(() => parseIpv4Range(subnet))
  if (range.prefixLength > LONGEST_PREFIX) throw tooSmall(subnet, LONGEST_PREFIX)
  if (SPECIAL.some((special) => overlaps(special, range))) throw notForNetworks(subnet)
  if (options.ipRange !== undefined) {
    const { first, last } = parseAddressSpan(options.ipRange)
    if (!contains(range, first) || !contains(range, last)) throw rangeOutside(options.ipRange, subnet)
  }
  if (gateway === undefined) return { subnet, gateway: firstFreeAddress(subnet, options.auxiliary) }
  const address = parseIpv4(gateway, "gateway")
  if (!contains(range, address) || address === range.address || address === broadcastAddress(range))
    throw gatewayOutside(gateway, subnet)
  return { subnet, gateway: formatIpv4(address) }
}

/** The same of IPv6. */
export function checkIpv6({ subnet6, gateway6, options = {} }: NetworkWanted): { subnet6?: string; gateway6?: string } {
  if (subnet6 === undefined) {
    if (gateway6 !== undefined || options.ipRange6 !== undefined) throw withoutSubnet()
    return {}
  }
  const range = asSubnet(() => parseIpv6Range(subnet6))
  const subnet = formatIpv6Range(range)
  if (range.prefixLength > LONGEST_PREFIX6) throw tooSmall(subnet, LONGEST_PREFIX6)
  if (SPECIAL6.some((special) => ipv6Overlaps(special, range))) throw notForNetworks(subnet)
  if (options.ipRange6 !== undefined) {
    const asked = parseIpv6Range(options.ipRange6)
    if (!ipv6Contains(range, asked.address) || asked.prefixLength < range.prefixLength)
      throw rangeOutside(options.ipRange6, subnet)
  }
  if (gateway6 === undefined) return { subnet6: subnet, gateway6: formatIpv6(range.address + 1n) }
  const address = parseIpv6(gateway6, "gateway")
  if (!ipv6Contains(range, address) || address === range.address || address === lastIpv6Address(range))
    throw gatewayOutside(gateway6, subnet)
  return { subnet6: subnet, gateway6: formatIpv6(address) }
}

/** What is wrong with it is wrong with the subnet that was given. */
function asSubnet<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw isSkiffError(error) ? error.restated(error.message, { field: "subnet" }) : error
  }
}

function withoutSubnet(): InvalidArgument {
  return new InvalidArgument("cannot set gateway or range without subnet", { field: "subnet" })
}

function tooSmall(subnet: string, longest: number): InvalidArgument {
  return new InvalidArgument(`subnet ${subnet} is too small`, {
    field: "subnet",
    hint: `the bridge and its containers need a /${longest} or larger`,
  })
}

function notForNetworks(subnet: string): InvalidArgument {
  return new InvalidArgument(`subnet ${subnet} is not for networks: its addresses have another meaning (RFC 6890)`, {
    field: "subnet",
    hint: "use a private range, such as one of 10.0.0.0/8 or fd00::/8",
  })
}

function rangeOutside(range: string, subnet: string): InvalidArgument {
  return new InvalidArgument(`range ${range} is not in subnet ${subnet}`, { field: "options.ipRange" })
}

function gatewayOutside(gateway: string, subnet: string): InvalidArgument {
  return new InvalidArgument(`gateway ${gateway} not in subnet ${subnet}`, { field: "gateway" })
}
