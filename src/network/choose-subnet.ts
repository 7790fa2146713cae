import { Unavailable } from "../base/errors.ts"
import { broadcastAddress, formatIpv4Range, overlaps, parseIpv4Range, type Ipv4Range } from "./ipv4.ts"

/** Where the ranges of networks come from: those of `size` bits that a base holds, in order. */
export interface AddressPool {
  base: Ipv4Range
  /** Prefix length of each range. */
  size: number
}

/**
 * Docker's own pools, in its order: 172.17.0.0/16 … 172.31.0.0/16, then sixteen /20 of 192.168.0.0/16; then podman's, /24s of
 * 10.89.0.0/16, for hosts with many stores.
 */
const DEFAULT_POOLS: readonly AddressPool[] = [
  ...Array.from({ length: 15 }, (_, index) => pool(`172.${17 + index}.0.0/16`, 16)),
  pool("192.168.0.0/16", 20),
  pool("10.89.0.0/16", 24),
]

function pool(base: string, size: number): AddressPool {
  return { base: parseIpv4Range(base), size }
}

function* ranges({ base, size }: AddressPool): Generator<Ipv4Range> {
  const end = broadcastAddress(base)
  for (let address = base.address; address <= end; address += 2 ** (32 - size)) yield { address, prefixLength: size }
}

/**
 * The first range of the pools that none of `busy` overlaps: routes, addresses of interfaces, name servers, other networks.
 * Default routes overlap everything and are not counted. Throws Unavailable when all are taken.
 */
export function chooseSubnet(busy: readonly Ipv4Range[], pools: readonly AddressPool[] = DEFAULT_POOLS): Ipv4Range {
  const taken = busy.filter((range) => range.prefixLength > 0)
  for (const one of pools)
    for (const range of ranges(one)) if (!taken.some((used) => overlaps(used, range))) return range
  const names = pools === DEFAULT_POOLS ? "172.17-31.0.0/16, 192.168.0.0/16 and 10.89.0.0/16" : namesOf(pools)
  throw new Unavailable(`no address range is free for the network: all of ${names} are in use`, {
    hint: "see ip route; free one of these ranges, or name one that is free",
  })
}

function namesOf(pools: readonly AddressPool[]): string {
  return pools.map(({ base, size }) => `the /${size} of ${formatIpv4Range(base)}`).join(", ")
}
