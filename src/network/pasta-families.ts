import { readFileSync } from "node:fs"
import { kernelHasIpv6 } from "../sys/net/has-ipv6.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { listIpBytes, listLinks, listRoutes } from "../sys/net/rtnetlink.ts"

/** What pasta is told of families, and what it has then. */
export interface PastaFamilies {
  options: readonly string[]
  hasIpv6: boolean
}

/**
 * Both families where pasta can have them. It takes IPv6 from the interface with a default route; without one it is told of the interface
 * that IPv4 leaves by, which has a link's address at least: published ports are reached by ::1 then, though nothing leads out.
 */
export function pastaFamilies(): PastaFamilies {
  const v4: PastaFamilies = { options: ["-4"], hasIpv6: false }
  if (!kernelHasIpv6()) return v4
  if (hasDefaultRoute6()) return { options: [], hasIpv6: true }
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const index = listRoutes(route).find(({ prefixLength }) => prefixLength === 0)?.interfaceIndex
  const isOwn = (one: { interfaceIndex: number; bytes: Uint8Array }): boolean =>
    one.interfaceIndex === index && one.bytes.length === 16
  const name = listLinks(route).find((link) => link.index === index)?.name
  return name !== undefined && listIpBytes(route).some(isOwn) ? { options: ["-i", name], hasIpv6: true } : v4
}

/** RTF_REJECT (linux/route.h): nothing leads there. */
const REJECT = 0x200

/** In the calling thread's network namespace: destination, its length, …, flags, interface. */
function hasDefaultRoute6(): boolean {
  const lines = readFileSync("/proc/thread-self/net/ipv6_route", "latin1").split("\n")
  return lines
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([to = "", length, , , , , , , flags = "", name]) =>
        /^0{32}$/.test(to) && length === "00" && name !== "lo" && (Number.parseInt(flags, 16) & REJECT) === 0,
    )
}
