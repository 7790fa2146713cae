import { shortId } from "../base/short-id.ts"
import { formatMoment } from "../docker/ages.ts"
import { hide } from "../docker/hidden-fields.ts"
import { labelText, type NetworkEndpoint } from "../docker/network-document.ts"
import type { Network } from "../network/network.ts"
import { withGoNames } from "./go-names.ts"
import { leaseRange } from "./lease-range.ts"

/** What `network ls --format json` prints of one, and `network inspect` with whoever is on it now. */
export function podmanNetworkDocument(network: Network, endpoints?: readonly NetworkEndpoint[]): object {
  const { id, driver, bridge, createdAt, subnet6, options } = network
  return withGoNames({
    name: podmanNetworkName(network.name),
    id,
    driver,
    network_interface: bridge,
    created: createdAt.toISOString(),
    subnets: subnetsOf(network),
    ...(options.routes !== undefined && { routes: options.routes }),
    ipv6_enabled: subnet6 !== undefined,
    internal: options.internal === true,
    dns_enabled: isDnsEnabled(network),
    ...((options.dns?.servers?.length ?? 0) > 0 && { network_dns_servers: options.dns?.servers }),
    ...(options.labels !== undefined && { labels: options.labels }),
    ...(options.driverOptions !== undefined && { options: options.driverOptions }),
    ipam_options: { driver: "host-local" },
    ...(endpoints !== undefined && { containers: containersOf(network, endpoints) }),
  }) as object
}

/** A line of `network ls` by podman's template names. */
export function podmanNetworkRow(network: Network, { noTrunc }: { noTrunc: boolean }): object {
  const { id, driver, createdAt, options } = network
  const document = podmanNetworkDocument(network)
  const row = {
    ID: noTrunc ? id : shortId(id),
    Name: podmanNetworkName(network.name),
    Driver: driver,
    Labels: labelText(options.labels ?? {}),
    Created: formatMoment(createdAt),
  }
  const zeros = { Options: {}, Routes: [], NetworkDNSServers: [], Containers: {} }
  return hide(row, {
    ...zeros,
    ...(document as Record<string, unknown>),
    ...namesOf(document),
    Network: document,
    document,
  })
}

/** Column titles of its fields. */
export const PODMAN_NETWORK_TITLES: Readonly<Record<string, string>> = {
  ID: "NETWORK ID",
  Name: "NAME",
  Driver: "DRIVER",
  Labels: "LABELS",
  Created: "CREATED",
  Subnets: "SUBNETS",
  NetworkInterface: "NETWORK INTERFACE",
  IPv6Enabled: "IPV6 ENABLED",
  Internal: "INTERNAL",
  DNSEnabled: "DNS ENABLED",
  Options: "OPTIONS",
  IPAMOptions: "IPAM OPTIONS",
}

/** Podman's word for the default network. */
/** What podman calls the default network. Pure. */
export function podmanNetworkName(name: string): string {
  return name === "bridge" ? "podman" : name
}

/** Go's names, which are hidden fields of the document. */
function namesOf(document: object): Record<string, unknown> {
  const hidden = Object.entries(Object.getOwnPropertyDescriptors(document)).filter(([, { enumerable }]) => !enumerable)
  return Object.fromEntries(hidden.map(([name, { value }]) => [name, value as unknown]))
}

/** Of the others nothing of the host is between their containers. */
function isDnsEnabled({ name, driver, options }: Network): boolean {
  return driver === "bridge" && name !== "bridge" && options.dns?.disabled !== true
}

function subnetsOf({ subnet, gateway, subnet6, gateway6, options: { ipRange } }: Network): object[] {
  const ipv4 = { subnet, gateway, ...(ipRange !== undefined && { lease_range: leaseRange(ipRange) }) }
  if (subnet6 === undefined) return [ipv4]
  return [ipv4, { subnet: subnet6, gateway: gateway6 }]
}

/** Whoever is on it, with the interface that each has there. */
function containersOf({ gateway, gateway6 }: Network, endpoints: readonly NetworkEndpoint[]): object {
  return Object.fromEntries(
    endpoints.map(({ id, name, endpoint }) => {
      const ipv4 = { ipnet: `${endpoint.address}/${endpoint.prefixLength}`, gateway }
      const ipv6 = { ipnet: `${endpoint.address6}/${endpoint.prefixLength6}`, gateway: gateway6 }
      const subnets = endpoint.address6 === undefined ? [ipv4] : [ipv4, ipv6]
      return [id, { name, interfaces: { [endpoint.interface]: { subnets, mac_address: endpoint.macAddress } } }]
    }),
  )
}
