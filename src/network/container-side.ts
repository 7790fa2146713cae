/** What an endpoint has inside of the container's network namespace. */
import { closeSync, existsSync } from "node:fs"
import { FailedPrecondition } from "../base/errors.ts"
import { forgetUdpCallers } from "../sys/net/conntrack.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { isSameNetns, openNetns, type Sysctls } from "../sys/net/netns.ts"
import { addAddress, addDefaultRoute, getLink, ipv4Bytes, linkUp } from "../sys/net/rtnetlink.ts"
import type { HostSockets } from "./host-side.ts"
import { parseIpv4, parseIpv4Range } from "./ipv4.ts"
import type { Endpoint, Network } from "./network.ts"
import type { PublishedPort } from "./nftables.ts"

/** Of an endpoint that names none. */
export const DEFAULT_INTERFACE = "eth0"

/** The network has no IPv6, so neither has the container, but for its loopback (CVE-2024-32473). */
export const CONTAINER_SYSCTLS: Sysctls = [["net/ipv6/conf/default/disable_ipv6", "1"]]

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

/** Address, interfaces and route, by a socket of the namespace. */
export function configureInside(
  container: NetlinkSocket,
  network: Network,
  { interface: name = DEFAULT_INTERFACE, defaultRoute = true }: Endpoint,
  address: number,
): void {
  const { index } = getLink(container, name)
  const { prefixLength } = parseIpv4Range(network.subnet)
  container.request([
    linkUp(getLink(container, "lo").index, "lo"),
    addAddress(index, name, address, prefixLength),
    linkUp(index, name),
    ...(defaultRoute && network.options.internal !== true
      ? [addDefaultRoute(index, name, { gateway: parseIpv4(network.gateway) })]
      : []),
  ])
}

/** Who called one of these UDP ports while another container, or nobody, had it. */
export function forgetStaleCallers({ netfilter }: HostSockets, ports: readonly PublishedPort[]): void {
  const udp = ports.filter(({ protocol }) => protocol === "udp")
  const [first] = udp
  if (first === undefined) return
  forgetUdpCallers(netfilter, new Set(udp.map(({ innerPort }) => innerPort)), ipv4Bytes(first.address))
}
