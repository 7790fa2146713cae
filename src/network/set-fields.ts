/** Fields of concatenated keys of nftables' sets: each in network byte order, padded to four bytes. */
import type { Protocol } from "../spec/docker/port-mapping.ts"
import { concatBytes } from "../sys/net/netlink.ts"

export const PROTOCOL_NUMBERS: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 }

export function portField(port: number): Uint8Array {
  return new Uint8Array([port >> 8, port & 255, 0, 0])
}

export function addressField(address: number): Uint8Array {
  return new Uint8Array([address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255])
}

export function address6Field(address: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => Number((address >> BigInt(8 * (15 - index))) & 255n))
}

/** linux/if.h, IFNAMSIZ without the NUL: sixteen bytes. */
export function nameField(name: string): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(Buffer.from(name))
  return bytes
}

export function fields(...parts: Uint8Array[]): Uint8Array {
  return concatBytes(parts)
}
