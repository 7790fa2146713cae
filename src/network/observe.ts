/** What the kernel has of an endpoint now, for people: read, never written. */
import { closeSync } from "node:fs"
import { LEVELS, LIFTED, setName } from "./egress/tables.ts"
import { REFUSED, REFUSED6, REFUSED_PORTS, REFUSED_PORTS6 } from "./refusals.ts"
import { findProgram } from "../sys/host.ts"
import { openNetns } from "../sys/net/netns.ts"
import { listIpBytes, listLinks, type Link } from "../sys/net/rtnetlink.ts"
import { run } from "../sys/process/process.ts"
import type { HostSide } from "./host-side.ts"
import { formatIpBytes, parseIpv6 } from "./ipv6.ts"
import { parsePortAlias, type KernelNames } from "./names.ts"
import type { FirewallElement, ObservedInterface, ObservedNetwork } from "./network.ts"
import { ADDRESS_PORTS, ADDRESS_PORTS6, ANNOUNCED, PORTS, PORTS6, SOURCES, SOURCES6 } from "./nftables.ts"

/** See `Networks.observe`. */
export async function observeNetwork(
  { host, names }: { host: HostSide; names: KernelNames },
  containerId: string,
  netnsPath: string,
): Promise<ObservedNetwork> {
  const netns = openNetns(netnsPath)
  try {
    const { host: outside, container } = await host.withContainer(netns, [])
    using _ = container
    const hostLinks = listLinks(outside.route)
    const ports = hostLinks.filter(({ alias }) => isOf(alias, containerId))
    const interfaces = interfacesOf(listLinks(container), listIpBytes(container), { ports, hostLinks })
    const elements = await elementsOf(names.table, host.netns, interfaces)
    return { interfaces, table: names.table, elements, ...(host.netns === undefined ? {} : { hostNetns: host.netns }) }
  } finally {
    closeSync(netns)
  }
}

function isOf(alias: string, containerId: string): boolean {
  const named = parsePortAlias(alias)
  return named !== undefined && containerId.startsWith(named.container)
}

function interfacesOf(
  links: readonly Link[],
  addresses: ReturnType<typeof listIpBytes>,
  { ports, hostLinks }: { ports: readonly Link[]; hostLinks: readonly Link[] },
): ObservedInterface[] {
  return links.map(({ index, name, mtu, up, macAddress, peer }) => ({
    name,
    mtu,
    isUp: up,
    macAddress: Array.from(macAddress, (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    addresses: addresses
      .filter(({ interfaceIndex }) => interfaceIndex === index)
      .map(({ bytes, prefixLength }) => `${formatIpBytes(bytes)}/${prefixLength}`),
    ...hostEndOf(
      ports.find((port) => port.index === peer),
      hostLinks,
    ),
  }))
}

/** Its other end, where that has our mark. */
function hostEndOf(port: Link | undefined, hostLinks: readonly Link[]): Pick<ObservedInterface, "hostEnd"> {
  if (port === undefined) return {}
  const bridge = hostLinks.find(({ index }) => index === port.master)
  return { hostEnd: { name: port.name, bridge: bridge?.name ?? "" } }
}

/** nft(8) lists sets in words that it takes again; those that name an address of the container are its own. */
async function elementsOf(
  table: string,
  netns: string | undefined,
  interfaces: readonly ObservedInterface[],
): Promise<FirewallElement[]> {
  const nft = findProgram("nft")
  const own = interfaces.flatMap(({ name, addresses }) => (name === "lo" ? [] : addresses))
  if (nft === undefined || own.length === 0) return []
  const enter = netns === undefined ? [] : [findProgram("nsenter") ?? "nsenter", `--net=${netns}`]
  const sets: [FirewallElement["family"], string, string][] = [
    ["bridge", "set", SOURCES],
    ["bridge", "set", SOURCES6],
    ["bridge", "set", ANNOUNCED],
    ["inet", "map", PORTS],
    ["inet", "map", ADDRESS_PORTS],
    ["inet", "map", PORTS6],
    ["inet", "map", ADDRESS_PORTS6],
    ["bridge", "map", LIFTED],
  ]
  const ips = own.map((address) => address.split("/", 1)[0] ?? "")
  const ends = interfaces.flatMap(({ hostEnd }) => (hostEnd === undefined ? [] : `"${hostEnd.name}"`))
  const words = new Set([...ips, ...ips.flatMap(asNumber), ...ends])
  const found: FirewallElement[] = []
  for (const [family, kind, name] of sets) {
    const { code, stdout } = await run([...enter, nft, "list", kind, family, table, name])
    if (code !== 0) continue
    const [, text = ""] = /elements = \{([^}]*)\}/.exec(stdout) ?? []
    for (const element of text.split(",").map((one) => one.trim().replaceAll(/\s+/g, " ")))
      if (element.split(/ [.:] /).some((word) => words.has(word))) found.push({ family, table, name, element })
    // where it may not send everywhere, it is said where
    if (name === LIFTED && found.some((one) => one.name === LIFTED))
      sets.push(...BOUNDS.map((set): (typeof sets)[number] => ["bridge", "set", set]))
  }
  return found
}

/** Of those that are refused something, or allowed some places alone. */
const BOUNDS: readonly string[] = [
  REFUSED,
  REFUSED_PORTS,
  REFUSED6,
  REFUSED_PORTS6,
  ...LEVELS.map((level) => setName("confined", level)),
  ...(["allowed", "named"] as const).flatMap((set) =>
    LEVELS.flatMap((level) => [setName(set, level, 4), setName(set, level, 6)]),
  ),
]

/** As nft writes the target of a neighbour advertisement. */
function asNumber(ip: string): string[] {
  return ip.includes(":") ? [`0x${parseIpv6(ip).toString(16)}`] : []
}
