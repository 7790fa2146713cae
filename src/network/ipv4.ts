/** IPv4 addresses and ranges as numbers. */
import { InvalidArgument } from "../base/errors.ts"
import { isIpv4 } from "../spec/docker/ip-address.ts"

/** A subnet; addresses are 32-bit numbers. */
export interface Ipv4Range {
  /** With the host bits cleared. */
  address: number
  prefixLength: number
}

/** Parses `172.17.0.2`. Throws InvalidArgument naming `what`. */
export function parseIpv4(text: string, what = "address"): number {
  if (!isIpv4(text))
    throw new InvalidArgument(`invalid ${what} "${text}"`, { hint: "expected an IPv4 address, 172.17.0.2" })
  return text.split(".").reduce((number, part) => number * 256 + Number(part), 0)
}

/** Dotted, as `172.17.0.2`. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")
}

/** Parses `172.17.0.0/16`. Throws InvalidArgument, also when a host bit is set. */
export function parseIpv4Range(text: string): Ipv4Range {
  const [, base = "", length = ""] = /^([^/]+)\/(\d{1,2})$/.exec(text) ?? []
  const prefixLength = Number(length)
  if (length === "" || prefixLength > 32 || !isIpv4(base))
    throw new InvalidArgument(`invalid subnet "${text}"`, { hint: "expected an IPv4 range such as 172.17.0.0/16" })
  const address = parseIpv4(base)
  if (networkAddress(address, prefixLength) !== address)
    throw new InvalidArgument(`invalid subnet "${text}": host bits are set`, {
      hint: `did you mean ${formatIpv4(networkAddress(address, prefixLength))}/${prefixLength}`,
    })
  return { address, prefixLength }
}

/** As `172.17.0.0/16`. */
export function formatIpv4Range(range: Ipv4Range): string {
  return `${formatIpv4(range.address)}/${range.prefixLength}`
}

/** The address with its host bits cleared. */
export function networkAddress(address: number, prefixLength: number): number {
  return prefixLength === 0 ? 0 : (address & (0xffffffff << (32 - prefixLength))) >>> 0
}

/** The last address of the range. */
export function broadcastAddress({ address, prefixLength }: Ipv4Range): number {
  return (address + 2 ** (32 - prefixLength) - 1) >>> 0
}

/** Whether the address lies in the range. */
export function contains(range: Ipv4Range, address: number): boolean {
  return networkAddress(address, range.prefixLength) === range.address
}

/** Whether two ranges share an address. */
export function overlaps(one: Ipv4Range, other: Ipv4Range): boolean {
  return one.prefixLength <= other.prefixLength ? contains(one, other.address) : contains(other, one.address)
}

/** Docker's way: `02:42:` and the address, so two containers of a network never share one. */
export function macOfAddress(address: number): Uint8Array {
  return new Uint8Array([0x02, 0x42, address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255])
}

/** Parses `02:42:ac:11:00:02`. Throws InvalidArgument, also for a multicast one. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    throw new InvalidArgument(`invalid MAC address "${text}"`, { hint: "expected six bytes, 02:42:ac:11:00:02" })
  const bytes = Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16))
  if (((bytes[0] ?? 0) & 1) === 1) throw new InvalidArgument(`invalid MAC address "${text}": it is a multicast address`)
  return bytes
}

/** As `02:42:ac:11:00:02`. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":")
}
