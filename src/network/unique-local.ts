import { randomHex } from "../base/random-hex.ts"
import type { Ipv6Range } from "./ipv6.ts"

/** `fd00::/8` */
const UNIQUE_LOCAL = 0xfdn << 120n
/** 40 bits of a global id, and 16 of a subnet. */
const RANDOM_BYTES = 7

/** A /64 of a random unique local prefix (RFC 4193): no two networks, and no two sites, have the same. */
export function uniqueLocalRange(): Ipv6Range {
  return { address: UNIQUE_LOCAL | (BigInt(`0x${randomHex(RANDOM_BYTES)}`) << 64n), prefixLength: 64 }
}
