import type { Network } from "../network/network.ts"

/** A line of `network ls`. */
export function networkRow({ id, name, driver }: Network, { noTrunc }: { noTrunc: boolean }): object {
  return { ID: noTrunc ? id : id.slice(0, 12), Name: name, Driver: driver, Scope: "local" }
}

/** Column titles of its fields. */
export const NETWORK_TITLES = { ID: "NETWORK ID", Name: "NAME", Driver: "DRIVER", Scope: "SCOPE" }

/** Docker's inspect document of a network, as far as ours has its fields. */
export function networkDocument({ id, name, driver, bridge, subnet, gateway }: Network): object {
  return {
    Name: name,
    Id: id,
    Created: "0001-01-01T00:00:00Z",
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [{ Subnet: subnet, Gateway: gateway }] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: { "com.docker.network.bridge.name": bridge },
    Labels: {},
  }
}
