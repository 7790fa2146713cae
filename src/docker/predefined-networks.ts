/** `host` and `none`: Docker's networks that need no record here. Pure. */

/** Their ids are the same in every store. */
export interface PredefinedNetwork {
  name: "host" | "none"
  id: string
  driver: "host" | "null"
}

/** All of them. */
export const PREDEFINED_NETWORKS: readonly PredefinedNetwork[] = [
  { name: "host", id: "8e3d01a5c2f74b69".repeat(4), driver: "host" },
  { name: "none", id: "4c97fe2b6d8051a3".repeat(4), driver: "null" },
]

/** A short id has at least so many digits. */
const SHORT_ID_DIGITS = 12

/** By name, id or the beginning of one. */
export function findPredefinedNetwork(name: string): PredefinedNetwork | undefined {
  return PREDEFINED_NETWORKS.find(
    (one) => one.name === name || (name.length >= SHORT_ID_DIGITS && one.id.startsWith(name)),
  )
}

/** Its line of `network ls`. */
export function predefinedNetworkRow(
  { id, name, driver }: PredefinedNetwork,
  { noTrunc }: { noTrunc: boolean },
): object {
  return {
    CreatedAt: "0001-01-01 00:00:00 +0000 UTC",
    Driver: driver,
    ID: noTrunc ? id : id.slice(0, SHORT_ID_DIGITS),
    IPv4: "true",
    IPv6: "false",
    Internal: "false",
    Labels: "",
    Name: name,
    Scope: "local",
    Label: () => "",
  }
}

/** Docker's document of it. */
export function predefinedNetworkDocument({ id, name, driver }: PredefinedNetwork): object {
  return {
    Name: name,
    Id: id,
    Created: "0001-01-01T00:00:00Z",
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: null },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  }
}
