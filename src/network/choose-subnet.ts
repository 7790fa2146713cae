import { Unavailable } from "../base/errors.ts"
import { overlaps, parseIpv4Range, type Ipv4Range } from "./ipv4.ts"

/**
 * Docker's own pools, in its order: 172.17.0.0/16 … 172.31.0.0/16, then sixteen /20 of 192.168.0.0/16; then podman's, /24s of
 * 10.89.0.0/16, for hosts with many stores.
 */
function* candidates(): Generator<Ipv4Range> {
  for (let second = 17; second <= 31; second++) yield parseIpv4Range(`172.${second}.0.0/16`)
  for (let third = 0; third < 256; third += 16) yield parseIpv4Range(`192.168.${third}.0/20`)
  for (let third = 0; third < 256; third++) yield parseIpv4Range(`10.89.${third}.0/24`)
}

/**
 * The first range that none of `busy` overlaps: routes, addresses of interfaces, name servers, other networks.
 * Default routes overlap everything and are not counted. Throws Unavailable when all are taken.
 */
export function chooseSubnet(busy: readonly Ipv4Range[]): Ipv4Range {
  const taken = busy.filter((range) => range.prefixLength > 0)
  for (const candidate of candidates()) if (!taken.some((range) => overlaps(range, candidate))) return candidate
  throw new Unavailable(
    "no address range is free for the bridge network: all of 172.17-31.0.0/16, 192.168.0.0/16 and 10.89.0.0/16 are in use",
    {
      hint: "see ip route; free one of these ranges",
    },
  )
}
