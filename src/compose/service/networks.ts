import { defined } from "../../base/defined.ts"
import type { ContainerOptions, NetworkMode, NetworkRequest } from "../../container/container.ts"
import {
  applyDriverOption,
  noLinkLocal,
  parseIpv4Address,
  parseIpv6Address,
  parseLink,
  parseMacAddress,
} from "../../spec/docker/endpoint-words.ts"
import { parseNamespaceMode } from "../../spec/docker/namespace-mode.ts"
import type { Project, Service, ServiceNetwork } from "../project.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

type Networks = Pick<ContainerOptions, "network" | "networks">

/** Networks that know no names. */
const WITHOUT_NAMES = "bridge"

/** On which networks a container of the service is. `name`: its own. `oneOff`: it has no name but its own on them. Throws InvalidArgument. */
export function networkOptions(context: ServiceContext, name: string, { oneOff = false } = {}): Networks {
  const { service, key, project } = context
  if (service.network_mode !== undefined) return { network: modeOf(context, service.network_mode) }
  const order = networkOrder(service)
  if (order.length === 0) return { network: { kind: "none" } }
  const builtIn = order.map((network) => realName(project, network)).find((real) => real === "host" || real === "none")
  if (builtIn === "host" || builtIn === "none") {
    if (order.length > 1)
      throw wrongValue(
        keyOf(context, "networks"),
        `the network "${builtIn}" stands alone: no other can be joined with it`,
      )
    return { network: { kind: builtIn } }
  }
  const requests = order.map((network) => {
    const wanted = service.networks?.[network] ?? {}
    const real = realName(project, network)
    const names = oneOff ? [name] : [name, key, ...(wanted.aliases ?? [])]
    const request: NetworkRequest = { network: real }
    if (real !== WITHOUT_NAMES) request.aliases = [...new Set(names)]
    return Object.assign(request, endpointOf(context, network, wanted), linksOf(context, network))
  })
  const [first] = requests
  if (first && service.mac_address !== undefined)
    first.macAddress ??= atKey(keyOf(context, "mac_address"), () => parseMacAddress(service.mac_address ?? ""))
  return { network: { kind: "bridge", name: first?.network ?? "" }, networks: requests }
}

/** Keys of the service's networks: the highest `priority` first, then by name. The first is the one that its ports are on. */
export function networkOrder({ networks = {} }: Service): string[] {
  const priority = (name: string): number => networks[name]?.priority ?? 0
  return Object.keys(networks).toSorted((a, b) => priority(b) - priority(a) || (a < b ? -1 : 1))
}

/** What the engine calls a network of the project. */
export function realName(project: Pick<Project, "name" | "networks">, key: string): string {
  return project.networks[key]?.name ?? `${project.name}_${key}`
}

function endpointOf(context: ServiceContext, network: string, wanted: ServiceNetwork): Partial<NetworkRequest> {
  const at = (key: string): string => keyOf(context, "networks", network, key)
  if (wanted.link_local_ips !== undefined && wanted.link_local_ips.length > 0)
    return atKey(at("link_local_ips"), () => {
      throw noLinkLocal()
    })
  const read = <T>(key: string, text: string | undefined, parse: (text: string) => T): T | undefined =>
    text === undefined ? undefined : atKey(at(key), () => parse(text))
  const driver: Partial<NetworkRequest> = {}
  for (const option of Object.entries(wanted.driver_opts ?? {}))
    atKey(at("driver_opts"), () => applyDriverOption(driver, option))
  return {
    ...driver,
    ...defined({
      address: read("ipv4_address", wanted.ipv4_address, parseIpv4Address),
      address6: read("ipv6_address", wanted.ipv6_address, parseIpv6Address),
      macAddress: read("mac_address", wanted.mac_address, parseMacAddress),
      interface: wanted.interface_name,
      gatewayPriority: wanted.gw_priority,
    }),
  }
}

/** `links` and `external_links`: other names of containers, for this one alone. */
function linksOf({ service, project, key, containersOf }: ServiceContext, network: string): { links?: string[] } {
  const links = (service.links ?? []).flatMap((text) => {
    const [target = "", alias = target] = text.split(":")
    const isHere = Object.hasOwn(project.services[target]?.networks ?? {}, network)
    if (!isHere) return []
    return containersOf(target).flatMap(({ name, number }) =>
      [alias, `${target}-${number}`, `${project.name}-${target}-${number}`]
        .filter((other) => other !== name)
        .map((other) => `${name}:${other}`),
    )
  })
  const external = (service.external_links ?? []).map((text, index) =>
    atKey(`services.${key}.external_links[${index}]`, () => parseLink(text)),
  )
  return links.length + external.length === 0 ? {} : { links: [...new Set([...links, ...external])] }
}

function modeOf(context: ServiceContext, text: string): NetworkMode {
  const at = keyOf(context, "network_mode")
  if (text === "none" || text === "host") return { kind: text }
  if (text === "bridge" || text === "default" || text === "") return { kind: "bridge", name: WITHOUT_NAMES }
  if (text.startsWith("service:")) throw wrongValue(at, `"${text}" names a service without a container`)
  if (/^(?:container|ns):/.test(text)) {
    const mode = atKey(at, () => parseNamespaceMode(text, "network"))
    if (mode?.kind === "container" || mode?.kind === "path") return mode
  }
  return { kind: "bridge", name: text }
}
