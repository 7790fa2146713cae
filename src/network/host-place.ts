/** Where on the host a port is published: on all addresses, on those of one family, on one. */
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import { isIpv4, isIpv6 } from "../spec/docker/ip-address.ts"
import { ipBytes } from "../sys/net/ip-bytes.ts"
import { formatIpv4, parseIpv4 } from "./ipv4.ts"
import { formatIpv6, parseIp, parseIpv6 } from "./ipv6.ts"

/** The host's address as records have it: empty for all, `0.0.0.0` and `::` for those of one family. Throws InvalidArgument. */
export function placeOf(address: string | undefined): string {
  if (address === undefined || address === "") return ""
  if (isIpv4(address)) return formatIpv4(parseIpv4(address))
  if (isIpv6(address)) return formatIpv6(parseIpv6(address))
  throw new InvalidArgument(`invalid address "${address}" of the host`, { field: "ports" })
}

/** For people: `[::1]:80/tcp`. */
export function wordsOf(port: { protocol: string; hostAddress: string; hostPort: number }): string {
  const { protocol, hostAddress, hostPort } = port
  const address = hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress || "0.0.0.0"
  return `${address}:${hostPort}/${protocol}`
}

/** The addresses that are bound for it, in their bytes. */
export function bindAddresses(hostAddress: string, hasIpv6: boolean): Uint8Array[] {
  if (hostAddress !== "") return [ipBytes(parseIp(hostAddress))]
  return hasIpv6 ? [ipBytes(0), ipBytes(0n)] : [ipBytes(0)]
}

/** Throws FailedPrecondition where nobody could reach a port there. */
export function checkPlace(
  port: { protocol: string; hostAddress: string; hostPort: number },
  { hasIpv6, hasLoopback6 }: { hasIpv6: boolean; hasLoopback6: boolean },
): void {
  if (!port.hostAddress.includes(":")) return
  if (!hasIpv6)
    throw new FailedPrecondition(`cannot publish ${wordsOf(port)}: the container has no IPv6 address`, {
      field: "ports",
      hint: "publish on an IPv4 address, or choose a network that has IPv6",
    })
  if (port.hostAddress === "::1" && !hasLoopback6)
    throw new FailedPrecondition(
      `cannot publish ${wordsOf(port)}: the kernel translates addresses on bridges, where it drops answers to ::1`,
      { field: "ports", hint: "publish on 127.0.0.1, or: sudo sysctl net.bridge.bridge-nf-call-ip6tables=0" },
    )
}
