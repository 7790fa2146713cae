import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { hasIpv6 } from "./choose-ipv6.ts"
import { DEFAULT_INTERFACE } from "./container-side.ts"
import { formatIpv4, parseIpv4Range } from "./ipv4.ts"
import { parseIpv6Range } from "./ipv6.ts"
import type { Endpoint, EndpointStatus, Network } from "./network.ts"
import type { PublishedPort } from "./nftables.ts"
import type { EndpointRow } from "./records.ts"

/** What an endpoint has, of its row, its published ports and its network. */
export function endpointStatus(
  network: Network,
  { interface: name = DEFAULT_INTERFACE }: Pick<Endpoint, "interface">,
  row: EndpointRow,
  ports: readonly PublishedPort[] = [],
): EndpointStatus {
  return {
    network: network.name,
    interface: name,
    address: formatIpv4(row.address),
    prefixLength: parseIpv4Range(network.subnet).prefixLength,
    gateway: network.gateway,
    ...(hasIpv6(network) &&
      row.address6 !== "" && {
        address6: row.address6,
        prefixLength6: parseIpv6Range(network.subnet6).prefixLength,
        gateway6: network.gateway6,
      }),
    macAddress: row.macAddress,
    ports: portMappings(ports),
  }
}

/** Published ports as they are asked for. */
export function portMappings(ports: readonly PublishedPort[]): PortMapping[] {
  return ports.map(({ protocol, containerPort, hostPort, hostAddress }) => ({
    protocol,
    containerPort,
    hostPort,
    ...(hostAddress === "" ? {} : { hostAddress }),
  }))
}
