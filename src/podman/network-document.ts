import type { Network } from "../network/network.ts"
import { withGoNames } from "./go-names.ts"

/** Podman's document of a network, which `network ls --format json` and `network inspect` print. */
export function podmanNetworkDocument({ id, name, driver, bridge, subnet, gateway }: Network): object {
  return withGoNames({
    name,
    id,
    driver,
    network_interface: bridge,
    created: "0001-01-01T00:00:00Z",
    subnets: [{ subnet, gateway }],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: "host-local" },
    containers: {},
  }) as object
}
