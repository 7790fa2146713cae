/** A Service as virtual ports of the cluster's network. Pure. */
import type { Service, ServiceSpec } from "kubernetes-types/core/v1"
import type { Endpoint, EndpointSlice } from "kubernetes-types/discovery/v1"
import { isSkiffError } from "../../base/errors.ts"
import type { VirtualEndpoint, VirtualPort } from "../../network/network.ts"
import type { Protocol } from "../../spec/docker/port-mapping.ts"
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"
import { keyOf } from "../controllers/cluster.ts"
import type { Kept } from "../controllers/kept.ts"
import { sourceRanges } from "./address-spans.ts"

/** What sessionAffinity ClientIP has where nothing is said (core/v1, ClientIPConfig). */
const STAY_SECONDS = 10_800
const PROTOCOLS: Readonly<Record<string, Protocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" }

/** Which addresses are the cluster's to give: who names another takes nobody's traffic (CVE-2020-8554). */
export interface OwnAddresses {
  isService(address: string): boolean
  isBalanced(address: string): boolean
  /** It is another's, and the administrator lets Services have it. */
  isExternal(address: string): boolean
}

/** One for each of its ports; none for who has no address of its own. */
export function virtualPortsOf(
  service: Kept<Service>,
  slices: readonly Kept<EndpointSlice>[],
  own: OwnAddresses,
): VirtualPort[] {
  const { spec = {}, metadata, status } = service
  const addresses = (spec.clusterIPs ?? []).filter((address) => own.isService(address))
  if (addresses.length === 0) return []
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
  const bounds = spec.type === "LoadBalancer" ? boundsOf(spec) : undefined
  const balanced = bounds === undefined ? [] : ingress.filter((address) => own.isBalanced(address))
  const external = (spec.externalIPs ?? []).filter((address) => own.isExternal(address))
  return (spec.ports ?? []).flatMap(({ name = "", protocol = "TCP", port, nodePort }): VirtualPort[] => {
    const known = PROTOCOLS[protocol]
    if (known === undefined) return []
    return [
      {
        key: `${keyOf(metadata.namespace, metadata.name)}:${name}:${protocol}:${port}`,
        protocol: known,
        port,
        addresses,
        balanced,
        ...bounds,
        ...(external.length > 0 && { external }),
        ...(nodePort && { nodePort }),
        ...(spec.sessionAffinity === "ClientIP" && {
          staySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? STAY_SECONDS,
        }),
        endpoints: endpointsOf(slices, name),
      },
    ]
  })
}

/** Who may ask by its address; undefined: what is said of it cannot be held, so nobody may. */
function boundsOf({ loadBalancerSourceRanges }: ServiceSpec): Pick<VirtualPort, "sources"> | undefined {
  try {
    const sources = sourceRanges(loadBalancerSourceRanges)
    return sources === undefined ? {} : { sources }
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return undefined
    throw error
  }
}

/** Who answers on the port of this name: those that are ready; where there are none, those that end and still answer (KEP-1669). */
export function endpointsOf(slices: readonly Kept<EndpointSlice>[], portName: string): VirtualEndpoint[] {
  const all = slices.flatMap(({ ports, endpoints }) => {
    const number = ports?.find(({ name = "" }) => name === portName)?.port
    // what is no port is nobody's, and takes no other Service with it
    return number === undefined || !isPort(number)
      ? []
      : (endpoints ?? []).map((endpoint) => ({ endpoint, port: number }))
  })
  const ready = all.filter(({ endpoint }) => isReady(endpoint))
  const chosen =
    ready.length > 0
      ? ready
      : all.filter(({ endpoint: { conditions } }) => conditions?.serving === true && conditions.terminating === true)
  const found = new Map<string, VirtualEndpoint>()
  for (const { endpoint, port } of chosen) {
    const [address] = endpoint.addresses
    if (address !== undefined && isEndpointAddress(address)) found.set(`${address} ${port}`, { address, port })
  }
  return [...found.values()]
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= 65_535
}

/** What is not said is ready (discovery/v1, EndpointConditions). */
export function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false
}

/** Nobody is led to the host's own loopback, to the links of this host, or to many at once. */
export function isEndpointAddress(text: string): boolean {
  if (!isIpv4(text) && !isIpv6(text)) return false
  // one form of each: the loopback may be written as `0:0:0:0:0:0:0:1`
  const address = isIpv4(text) ? text : new URL(`http://[${text}]/`).hostname.slice(1, -1)
  return !/^(?:0\.|127\.|169\.254\.|2(?:2[4-9]|[3-5]\d)\.|::1?$|fe[89ab]|ff|::(?:ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$)/i.test(
    address,
  )
}
