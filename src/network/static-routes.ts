/** The ways that a network gives each of its containers beside the default one. */
import type { NetlinkMessage } from "../sys/net/netlink.ts"
import { addRoute } from "../sys/net/rtnetlink.ts"
import { parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { parseIpv6, parseIpv6Range } from "./ipv6.ts"
import type { Network } from "./network.ts"

/** As messages for the interface of that index and name; those of one family. */
export function staticRoutes(
  { options: { routes = [] } }: Pick<Network, "options">,
  family: "IPv4" | "IPv6",
  { index, name }: { index: number; name: string },
): NetlinkMessage[] {
  return routes
    .filter(({ destination }) => destination.includes(":") === (family === "IPv6"))
    .map(({ destination, gateway, metric }) =>
      addRoute(
        index,
        name,
        family === "IPv6"
          ? { destination: parseIpv6Range(destination), gateway: parseIpv6(gateway), metric }
          : { destination: parseIpv4Range(destination), gateway: parseIpv4(gateway), metric },
      ),
    )
}
