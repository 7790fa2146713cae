import { randomHex } from "../base/random-hex.ts"
import { formatIpv6, formatIpv6Range, type Ipv6Range } from "./ipv6.ts"
import type { Network } from "./network.ts"

/** `fd00::/8` */
const UNIQUE_LOCAL = 0xfdn << 120n
/** 40 bits of a global id, and 16 of a subnet. */
const RANDOM_BYTES = 7

/** A /64 of a random unique local prefix (RFC 4193): no two networks, and no two sites, have the same. */
function uniqueLocalRange(): Ipv6Range {
  return { address: UNIQUE_LOCAL | (BigInt(`0x${randomHex(RANDOM_BYTES)}`) << 64n), prefixLength: 64 }
}

/** The same with its first address for the gateway. */
export function chooseRange6(): Required<Pick<Network, "subnet6" | "gateway6">> {
  const range = uniqueLocalRange()
  return { subnet6: formatIpv6Range(range), gateway6: formatIpv6(range.address + 1n) }
}
