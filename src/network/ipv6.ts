/** IPv6 addresses and ranges as numbers of 128 bits. */
import { InvalidArgument } from "../base/errors.ts"
import { parseIpv4 } from "./ipv4.ts"
import type { IpAddress } from "../sys/net/ip-bytes.ts"
import { isIpv6 } from "../spec/docker/ip-address.ts"

const BITS = 128n
const GROUPS = 8
const ALL_ONES = (1n << BITS) - 1n

/** A subnet. */
export interface Ipv6Range {
  /** With the host bits cleared. */
  address: bigint
  prefixLength: number
}

/** Parses `fd00::2`, without brackets and zone. Throws InvalidArgument naming `what`. */
export function parseIpv6(text: string, what = "address"): bigint {
  if (!isIpv6(text))
    throw new InvalidArgument(`invalid ${what} "${text}"`, { hint: "expected an IPv6 address, fd00::2" })
  // the URL parser brings `::ffff:10.0.0.1` to hexadecimal groups too
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::")
  const before = head.split(":").filter(Boolean)
  const after = tail?.split(":").filter(Boolean) ?? []
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => "0")
  return [...before, ...zeros, ...after].reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n)
}

/** Parses an address of either family. Throws InvalidArgument naming `what`. */
export function parseIp(text: string, what?: string): IpAddress {
  return text.includes(":") ? parseIpv6(text, what) : parseIpv4(text, what)
}

/** In the shortest form (RFC 5952), as `fd00::2`. */
export function formatIpv6(address: bigint): string {
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((address >> BigInt(16 * (GROUPS - 1 - index))) & 0xffffn).toString(16),
  )
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1)
}

/** The same of an address of either family, by its four or sixteen bytes. */
export function formatIpBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".")
  return formatIpv6(bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n))
}

/** Parses `fd00::/64`. Throws InvalidArgument, also when a host bit is set. */
export function parseIpv6Range(text: string): Ipv6Range {
  const [, base = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const prefixLength = Number(length)
  if (length === "" || prefixLength > 128 || !isIpv6(base))
    throw new InvalidArgument(`invalid subnet "${text}"`, { hint: "expected an IPv6 range such as fd00:1::/64" })
  const address = parseIpv6(base)
  const cleared = ipv6NetworkAddress(address, prefixLength)
  if (cleared !== address)
    throw new InvalidArgument(`invalid subnet "${text}": host bits are set`, {
      hint: `did you mean ${formatIpv6(cleared)}/${prefixLength}`,
    })
  return { address, prefixLength }
}

/** As `fd00:1::/64`. */
export function formatIpv6Range({ address, prefixLength }: Ipv6Range): string {
  return `${formatIpv6(address)}/${prefixLength}`
}

/** The address with its host bits cleared. */
export function ipv6NetworkAddress(address: bigint, prefixLength: number): bigint {
  return address & (ALL_ONES << (BITS - BigInt(prefixLength))) & ALL_ONES
}

/** The last address of the range. */
export function lastIpv6Address({ address, prefixLength }: Ipv6Range): bigint {
  return address | ((1n << (BITS - BigInt(prefixLength))) - 1n)
}

/** Whether the address lies in the range. */
export function ipv6Contains({ address, prefixLength }: Ipv6Range, inside: bigint): boolean {
  return ipv6NetworkAddress(inside, prefixLength) === address
}

/** Whether two ranges share an address. */
export function ipv6Overlaps(one: Ipv6Range, other: Ipv6Range): boolean {
  return one.prefixLength <= other.prefixLength ? ipv6Contains(one, other.address) : ipv6Contains(other, one.address)
}
