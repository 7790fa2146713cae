import { closeSync } from "node:fs"
import { getLink, replaceDefaultRoute } from "../sys/net/rtnetlink.ts"
import { hasErrno } from "../base/errors.ts"
import type { NetlinkSocket } from "../sys/net/netlink.ts"
import { hasIpv6, type Ipv6Network } from "./choose-ipv6.ts"
import { parseIpv6 } from "./ipv6.ts"
import { openContainerNetns } from "./container-side.ts"
import type { HostSide } from "./host-side.ts"
import { parseIpv4 } from "./ipv4.ts"
import { leadsOut } from "./network-policy.ts"
import type { LiveEndpoint, Network } from "./network.ts"

/** See `Networks.routeBy`. A network without a way out is nobody's default route. */
export async function routeBy(host: HostSide, network: Network, endpoint: LiveEndpoint): Promise<void> {
  if (!leadsOut(network) || network.gateway === "") return
  const netns = openContainerNetns(endpoint)
  try {
    const { container } = await host.withContainer(netns, [])
    using _ = container
    const { index, name } = getLink(container, endpoint.interface)
    container.request([replaceDefaultRoute(index, name, { gateway: parseIpv4(network.gateway) })])
    if (hasIpv6(network)) routeIpv6By(container, index, network)
  } finally {
    closeSync(netns)
  }
}

function routeIpv6By(container: NetlinkSocket, index: number, network: Ipv6Network): void {
  try {
    container.request([replaceDefaultRoute(index, network.bridge, { gateway: parseIpv6(network.gateway6) })])
  } catch (error) {
    // the container, or this host, has turned IPv6 off: nobody is asked by it
    if (!hasErrno(error, "EHOSTUNREACH", "ENETUNREACH", "EACCES", "ENODEV", "EOPNOTSUPP", "EINVAL")) throw error
  }
}
