/** Flags of `run`, `create` and `pod create` that say on which networks a container is, and with what. */
import { defined } from "../../base/defined.ts"
import type { ContainerOptions, NetworkMode, NetworkRequest } from "../../container/container.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import { parseIpv4Address, parseIpv6Address, parseLink, parseMacAddress } from "../../spec/docker/endpoint-words.ts"
import { readLinkLocal, readNetwork, type NetworkText } from "./network-text.ts"

export const NETWORK_FLAGS = {
  ip: flag.of(parseIpv4Address, "IPv4 address (e.g., 172.30.100.104)", "string"),
  ip6: flag.of(parseIpv6Address, "IPv6 address (e.g., 2001:db8::33)", "string"),
  link: flag.list(parseLink, "Add link to another container"),
  linkLocalIp: flag.list(readLinkLocal, "Container IPv4/IPv6 link-local addresses (refused: docs/networking.md)"),
  macAddress: flag.of(parseMacAddress, "Container MAC address (e.g., 92:d0:c6:0a:29:33)", "string"),
  network: flag.list(readNetwork, "Connect a container to a network", "network", {
    aliases: ["net"],
    completes: "networks",
  }),
  networkAlias: flag.strings("Add network-scoped alias for the container", "list", { aliases: ["net-alias"] }),
}

/** A pod has no links. */
type Values = Omit<FlagValues<typeof NETWORK_FLAGS>, "link" | "linkLocalIp"> & { link?: readonly string[] }
type Networks = Pick<ContainerOptions, "network" | "networks" | "address" | "macAddress">

/** What `run` and `create` ask for. Throws UsageError, in docker's words, for what contradicts itself. */
export function networkOptions(flags: Values): Networks {
  const mode = modeOf(flags.network)
  if (mode !== undefined) {
    checkMode(mode, flags)
    return { network: mode }
  }
  const requests = requestsOf(flags.network)
  if (requests.length === 0 && hasOwn(flags)) requests.push({ network: "bridge" })
  const [first] = requests
  if (first === undefined) return {}
  applyOwn(requests, flags)
  const network = { kind: "bridge", name: first.network } as const
  const { network: _, address, macAddress, ...more } = first
  // most have one network, and no more of it than an address
  if (requests.length === 1 && Object.keys(more).length === 0) return { network, ...defined({ address, macAddress }) }
  return { network, networks: requests }
}

/** A mode stands alone. */
function modeOf(given: readonly NetworkText[]): NetworkMode | undefined {
  const modes = given.flatMap((one) => ("mode" in one ? [one.mode] : []))
  if (modes.length > 0 && given.length > 1)
    throw new UsageError("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
  return modes[0]
}

function requestsOf(given: readonly NetworkText[]): NetworkRequest[] {
  return given.flatMap((one) => ("requests" in one ? one.requests.map((request) => ({ ...request })) : []))
}

function hasOwn({ ip, ip6, macAddress, link = [], networkAlias }: Values): boolean {
  return ip !== undefined || ip6 !== undefined || macAddress !== undefined || link.length + networkAlias.length > 0
}

/** What the flags beside `--network` say: names hold for all networks (podman), the rest for one. */
function applyOwn(requests: NetworkRequest[], { ip, ip6, macAddress, link = [], networkAlias }: Values): void {
  const [first] = requests
  if (first === undefined) return
  const own = [
    ["--ip", "IPv4 address", "address", ip],
    ["--ip6", "IPv6 address", "address6", ip6],
    ["--mac-address", "MAC address", "macAddress", macAddress],
  ] as const
  for (const [name, what, field, value] of own) {
    if (value === undefined) continue
    if (requests.length > 1) throw new UsageError(`${name} can only be set for a single network`, { hint: PER_NETWORK })
    if (first[field] !== undefined)
      throw new UsageError(`conflicting options: cannot specify both ${name} and per-network ${what}`)
    first[field] = value
  }
  if (link.length > 0) first.links = link
  if (networkAlias.length === 0) return
  if (requests.some(({ aliases }) => aliases !== undefined))
    throw new UsageError("conflicting options: cannot specify both --network-alias and per-network alias")
  for (const request of requests) request.aliases = networkAlias
}

const PER_NETWORK = "say it with the network: --network name=NETWORK,ip=…,mac-address=…"

/** Docker's refusals of what only networks of one's own have. */
function checkMode(mode: NetworkMode, { ip, ip6, macAddress, link = [], networkAlias }: Values): void {
  if (ip !== undefined || ip6 !== undefined)
    throw new UsageError("user specified IP address is supported on user defined networks only")
  if (networkAlias.length > 0)
    throw new UsageError("network-scoped aliases are only supported for user-defined networks")
  if (macAddress !== undefined) throw new UsageError("conflicting options: mac-address and the network mode")
  if (link.length > 0)
    throw new UsageError(
      `conflicting options: ${mode.kind} type networking can't be used with links. This would result in undefined behavior`,
    )
}
