import { InvalidArgument } from "../base/errors.ts"
import { formatIpv4Range, networkAddress, parseIpv4 } from "./ipv4.ts"
import { formatIpv6Range, ipv6NetworkAddress, parseIpv6 } from "./ipv6.ts"

/** The range that an address with a prefix length is in: `10.1.2.3/24` is `10.1.2.0/24`. Throws InvalidArgument with `field`. */
export function withoutHostBits(text: string, field: string): string {
  const [address = "", length = "", ...more] = text.split("/")
  const isIpv6 = address.includes(":")
  const prefixLength = Number(length)
  if (!/^\d{1,3}$/.test(length) || prefixLength > (isIpv6 ? 128 : 32) || more.length > 0)
    throw new InvalidArgument(`invalid range "${text}"`, { field, hint: "expected a range such as 10.20.0.0/16" })
  return isIpv6
    ? formatIpv6Range({ address: ipv6NetworkAddress(parseIpv6(address), prefixLength), prefixLength })
    : formatIpv4Range({ address: networkAddress(parseIpv4(address), prefixLength), prefixLength })
}
