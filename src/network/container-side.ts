/** What an endpoint has inside of the container's network namespace. */
import { closeSync, existsSync } from "node:fs"
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import { forgetUdpCallers } from "../sys/net/conntrack.ts"
import { ipBytes, type IpAddress } from "../sys/net/ip-bytes.ts"
import type { NetlinkMessage, NetlinkSocket } from "../sys/net/netlink.ts"
import { isSameNetns, openNetns, type Sysctls } from "../sys/net/netns.ts"
import { addAddress, addDefaultRoute, addRoute, getLink, linkUp } from "../sys/net/rtnetlink.ts"
import { hasIpv6 } from "./choose-ipv6.ts"
import type { HostSockets } from "./host-side.ts"
import { parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { parseIpv6, parseIpv6Range } from "./ipv6.ts"
import type { Endpoint, Network } from "./network.ts"
import { leadsOut } from "./network-policy.ts"
import { staticRoutes } from "./static-routes.ts"
import type { PublishedPort } from "./nftables.ts"
import type { EndpointRow } from "./records.ts"

/** Of an endpoint that names none. */
export const DEFAULT_INTERFACE = "eth0"

/**
 * Settings for the interface that comes next. On a network without IPv6 it has none, not even a link's own address (CVE-2024-32473).
 * With it, its addresses are those that we give: no router is heard, and none is asked for.
 */
export function containerSysctls(network: Network, others: readonly Network[]): Sysctls {
  const own = network.options.routed === true ? NO_REDIRECTS : []
  if (!hasIpv6(network)) return [...own, ["net/ipv6/conf/default/disable_ipv6", "1"]]
  return [
    ...own,
    ...(network.options.routed === true ? NO_REDIRECTS6 : []),
    ["net/ipv6/conf/default/accept_ra", "0"],
    ["net/ipv6/conf/default/autoconf", "0"],
    ["net/ipv6/conf/default/accept_dad", "0"],
    // else it stays as the container's own settings have it: who turned IPv6 off there gets none
    ...(others.every(hasIpv6) ? [] : [["net/ipv6/conf/default/disable_ipv6", "0"] as const]),
  ]
}

/** The host tells who sends to a neighbour by it of the shorter way, which on a routed network is closed. Of each two the higher counts. */
const NO_REDIRECTS: Sysctls = [
  ["net/ipv4/conf/all/accept_redirects", "0"],
  ["net/ipv4/conf/default/accept_redirects", "0"],
]
const NO_REDIRECTS6: Sysctls = [["net/ipv6/conf/default/accept_redirects", "0"]]

/** Opens the namespace, which must not be ours: the process whose it was may have ended, and its pid be used again. */
export function openContainerNetns({ containerId, netns: given }: Pick<Endpoint, "containerId" | "netns">): number {
  const path = typeof given === "string" ? given : `/proc/self/fd/${given}`
  const gone = (): FailedPrecondition =>
    new FailedPrecondition("the container ended before it got its network", {
      hint: "its log may say why",
      data: { containerId },
    })
  if (!existsSync(path)) throw gone()
  const netns = openNetns(path)
  if (!isSameNetns(netns, "/proc/self/ns/net")) return netns
  closeSync(netns)
  throw gone()
}

/**
 * Addresses, interfaces and routes, by a socket of the namespace. Gives whether it may have IPv6. `withoutGateway`: all is
 * reached by the interface itself.
 */
export function configureInside(
  container: NetlinkSocket,
  network: Network,
  {
    interface: name = DEFAULT_INTERFACE,
    defaultRoute = true,
    withoutGateway = false,
  }: Pick<Endpoint, "interface" | "defaultRoute"> & { withoutGateway?: boolean },
  { address, address6 }: Pick<EndpointRow, "address" | "address6">,
): { hasIpv6: boolean } {
  const { index } = getLink(container, name)
  const isRouted = network.options.routed === true
  const { prefixLength } = isRouted ? { prefixLength: 32 } : parseIpv4Range(network.subnet)
  const routeBy = (gateway: IpAddress): NetlinkMessage[] => {
    const family = typeof gateway === "number" ? "IPv4" : "IPv6"
    const own = { address: gateway, prefixLength: family === "IPv4" ? 32 : 128 }
    return [
      ...(isRouted
        ? [
            addRoute(index, name, { destination: own }),
            addRoute(index, name, { destination: rangeBy(network, family), gateway }),
          ]
        : []),
      ...(defaultRoute && leadsOut(network)
        ? [addDefaultRoute(index, name, withoutGateway ? { family } : { gateway })]
        : []),
    ]
  }
  const messages = [
    linkUp(getLink(container, "lo").index, "lo"),
    addAddress(index, name, address, prefixLength),
    linkUp(index, name),
    ...routeBy(parseIpv4(network.gateway)),
    ...staticRoutes(network, "IPv4", { index, name }),
  ]
  if (!hasIpv6(network) || address6 === "") {
    container.request(messages)
    return { hasIpv6: false }
  }
  const range = parseIpv6Range(network.subnet6)
  try {
    container.request([
      ...messages,
      addAddress(index, name, parseIpv6(address6), isRouted ? 128 : range.prefixLength),
      ...routeBy(parseIpv6(network.gateway6)),
      ...staticRoutes(network, "IPv6", { index, name }),
    ])
    return { hasIpv6: true }
  } catch (error) {
    // the container's own settings turned it off (net.ipv6.conf.all.disable_ipv6), or the kernel has none; the IPv4 part is done
    if (hasErrno(error, "EACCES", "EOPNOTSUPP", "EAFNOSUPPORT")) return { hasIpv6: false }
    throw error
  }
}

function rangeBy({ subnet, subnet6 = "::/128" }: Network, family: "IPv4" | "IPv6"): AddressRange {
  return family === "IPv4" ? parseIpv4Range(subnet) : parseIpv6Range(subnet6)
}

interface AddressRange {
  address: IpAddress
  prefixLength: number
}

/** Who called one of these UDP ports while another container, or nobody, had it. */
export function forgetStaleCallers({ netfilter }: HostSockets, ports: readonly PublishedPort[]): void {
  const udp = ports.filter(({ protocol }) => protocol === "udp")
  const [first] = udp
  if (first === undefined) return
  const numbers = new Set(udp.map(({ innerPort }) => innerPort))
  forgetUdpCallers(netfilter, numbers, ipBytes(first.address))
  if (first.address6 !== "") forgetUdpCallers(netfilter, numbers, ipBytes(parseIpv6(first.address6)))
}
