/** An address: IPv4 as a number of 32 bits, IPv6 as a bigint of 128. */
export type IpAddress = number | bigint

/** An address as its four or sixteen bytes, network order. */
export function ipBytes(address: IpAddress): Uint8Array {
  if (typeof address === "number")
    return new Uint8Array([address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255])
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, address >> 64n)
  view.setBigUint64(8, address & 0xffffffffffffffffn)
  return bytes
}
