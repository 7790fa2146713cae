import { shortId } from "../base/short-id.ts"
import { endpointId } from "./endpoint-id.ts"
import { formatEgressRule } from "../spec/docker/egress-rule.ts"
import type { Network } from "../network/network.ts"
import { formatMoment } from "./ages.ts"

/** A line of `network ls`. */
export function networkRow(network: Network, { noTrunc }: { noTrunc: boolean }): object {
  const { id, name, driver, createdAt, subnet6, options } = network
  const { labels = {} } = options
  return {
    CreatedAt: formatMoment(createdAt),
    Driver: driver,
    ID: noTrunc ? id : shortId(id),
    IPv4: "true",
    IPv6: String(subnet6 !== undefined),
    Internal: String(options.internal === true),
    Labels: labelText(labels),
    Name: name,
    Scope: "local",
    Label: (key: unknown) => labels[String(key)] ?? "",
  }
}

/** Column titles of its fields. */
export const NETWORK_TITLES = {
  CreatedAt: "CREATED AT",
  Driver: "DRIVER",
  ID: "NETWORK ID",
  IPv4: "IPV4",
  IPv6: "IPV6",
  Internal: "INTERNAL",
  Labels: "LABELS",
  Name: "NAME",
  Scope: "SCOPE",
}

/** Labels as lists show them. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",")
}

/** Who is on a network, as its document needs them. */
export interface NetworkEndpoint {
  id: string
  name: string
  endpoint: {
    interface: string
    address: string
    prefixLength: number
    address6?: string
    prefixLength6?: number
    macAddress: string
  }
}

/** Docker's inspect document of a network, with whoever is on it now. */
export function networkDocument(network: Network, endpoints: readonly NetworkEndpoint[]): object {
  const { id, name, driver, bridge, createdAt, subnet6, options } = network
  return {
    Name: name,
    Id: id,
    Created: createdAt.toISOString(),
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: subnet6 !== undefined,
    IPAM: { Driver: "default", Options: null, Config: ipamConfig(network) },
    Internal: options.internal === true,
    Attachable: options.attachable === true,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(endpoints.map((one) => [one.id, endpointDocument(one, network)])),
    Options: { ...(driver === "bridge" && { "com.docker.network.bridge.name": bridge }), ...options.driverOptions },
    Labels: options.labels ?? {},
    ...(options.allow && { AllowNet: options.allow.map(formatEgressRule) }),
    ...(options.rate && { Rate: options.rate }),
  }
}

function ipamConfig({ subnet, gateway, subnet6, gateway6, options }: Network): object[] {
  const auxiliary = Object.entries(options.auxiliary ?? {})
  const config = (isIpv6: boolean, range: string, way: string | undefined, part: string | undefined): object => {
    const addresses = auxiliary.filter(([, address]) => address.includes(":") === isIpv6)
    return {
      Subnet: range,
      ...(part !== undefined && { IPRange: part }),
      Gateway: way,
      ...(addresses.length > 0 && { AuxiliaryAddresses: Object.fromEntries(addresses) }),
    }
  }
  const ipv4 = config(false, subnet, gateway, options.ipRange)
  return subnet6 === undefined ? [ipv4] : [ipv4, config(true, subnet6, gateway6, options.ipRange6)]
}

function endpointDocument({ id, name, endpoint }: NetworkEndpoint, network: Network): object {
  const { address6, prefixLength6 } = endpoint
  return {
    Name: name,
    EndpointID: endpointId(id, network.id),
    MacAddress: endpoint.macAddress,
    IPv4Address: `${endpoint.address}/${endpoint.prefixLength}`,
    IPv6Address: address6 === undefined ? "" : `${address6}/${prefixLength6}`,
  }
}
