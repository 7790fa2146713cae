import { closeSync } from "node:fs"
import { getLink, replaceDefaultRoute } from "../sys/net/rtnetlink.ts"
import { openContainerNetns } from "./container-side.ts"
import type { HostSide } from "./host-side.ts"
import { parseIpv4 } from "./ipv4.ts"
import type { LiveEndpoint, Network } from "./network.ts"

/** See `Networks.routeBy`. A network without a way out is nobody's default route. */
export async function routeBy(host: HostSide, network: Network, endpoint: LiveEndpoint): Promise<void> {
  if (network.options.internal || network.gateway === "") return
  const netns = openContainerNetns(endpoint)
  try {
    const { container } = await host.withContainer(netns, [])
    using _ = container
    const { index, name } = getLink(container, endpoint.interface)
    container.request([replaceDefaultRoute(index, name, { gateway: parseIpv4(network.gateway) })])
  } finally {
    closeSync(netns)
  }
}
