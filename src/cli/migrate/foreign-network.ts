/** Networks of docker and podman as words of `network create`. Pure. */
import * as v from "valibot"
import { absent, checkDocument } from "../../spec/parse-document.ts"
import type { ForeignNetwork } from "./source.ts"

const map = absent(v.record(v.string(), v.string()))

/** Docker Engine API, `NetworkInspect`. */
const docker = v.object({
  Name: v.string(),
  Driver: v.string(),
  Scope: absent(v.string()),
  EnableIPv6: absent(v.boolean()),
  Internal: absent(v.boolean()),
  Attachable: absent(v.boolean()),
  Options: map,
  Labels: map,
  IPAM: absent(
    v.object({
      Driver: absent(v.string()),
      Config: absent(
        v.array(
          v.object({
            Subnet: absent(v.string()),
            Gateway: absent(v.string()),
            IPRange: absent(v.string()),
            AuxiliaryAddresses: map,
          }),
        ),
      ),
    }),
  ),
})

/** podman-network-inspect(1). */
const podman = v.object({
  name: v.string(),
  driver: v.string(),
  network_interface: absent(v.string()),
  subnets: absent(
    v.array(
      v.object({
        subnet: v.string(),
        gateway: absent(v.string()),
        lease_range: absent(v.object({ start_ip: absent(v.string()), end_ip: absent(v.string()) })),
      }),
    ),
  ),
  routes: absent(v.array(v.object({ destination: v.string(), gateway: v.string(), metric: absent(v.number()) }))),
  ipv6_enabled: absent(v.boolean()),
  internal: absent(v.boolean()),
  dns_enabled: absent(v.boolean()),
  network_dns_servers: absent(v.array(v.string())),
  labels: map,
  options: map,
})

/** Names of bridges on the host are taken there, by the network that is moved. */
const BRIDGE_NAME = "com.docker.network.bridge.name"

/** Throws DataLoss with the field. */
export function dockerNetwork(document: unknown): ForeignNetwork {
  const network = checkDocument(docker, document, "docker's network")
  const { Name, Driver, IPAM, Options = {} } = network
  const ranges = (IPAM?.Config ?? []).flatMap(({ Subnet, Gateway, IPRange, AuxiliaryAddresses = {} }) =>
    given({ subnet: Subnet, gateway: Gateway, "ip-range": IPRange }).concat(pairs("aux-address", AuxiliaryAddresses)),
  )
  const { [BRIDGE_NAME]: bridge, ...options } = Options
  return {
    name: Name,
    words: [
      `--driver=${Driver}`,
      ...ranges,
      `--ipv6=${network.EnableIPv6 ?? false}`,
      ...(network.Internal ? ["--internal"] : []),
      ...(network.Attachable ? ["--attachable"] : []),
      ...pairs("opt", options),
      ...pairs("label", network.Labels),
    ],
    notes: bridge === undefined ? [] : [`its bridge has another name than "${bridge}"`],
    ...(network.Scope === "swarm" && { unfit: "it is a swarm's" }),
  }
}

/** Throws DataLoss with the field. */
export function podmanNetwork(document: unknown): ForeignNetwork {
  const network = checkDocument(podman, document, "podman's network")
  const { name, driver, subnets = [], options = {}, network_interface: parent = "" } = network
  const ranges = subnets.flatMap(({ subnet, gateway, lease_range: range }) => {
    const part = range?.start_ip && range.end_ip ? `${range.start_ip}-${range.end_ip}` : undefined
    return given({ subnet, gateway, "ip-range": part })
  })
  return {
    name,
    words: [
      `--driver=${driver}`,
      ...ranges,
      `--ipv6=${network.ipv6_enabled ?? false}`,
      ...(network.internal ? ["--internal"] : []),
      ...(network.network_dns_servers ?? []).map((server) => `--dns=${server}`),
      ...(network.routes ?? []).map(
        ({ destination, gateway, metric }) =>
          `--route=${[destination, gateway, metric].filter((part) => part !== undefined).join(",")}`,
      ),
      ...(driver !== "bridge" && parent !== "" ? [`--opt=parent=${parent}`] : []),
      ...pairs("opt", options),
      ...pairs("label", network.labels),
    ],
    // with CNI podman has names only where a plugin is installed; here every network has them
    notes: [],
  }
}

/** `--name=value` of those that have one. */
function given(flags: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}=${value}`] : []))
}

function pairs(name: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([key, value]) => `--${name}=${key}=${value}`)
}
