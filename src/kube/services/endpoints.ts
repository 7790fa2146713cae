/** Endpoints, the older form of EndpointSlices: made of them, or by hand for a Service without a selector. Pure. */
import type { EndpointAddress, Endpoints } from "kubernetes-types/core/v1"
import type { Endpoint } from "kubernetes-types/discovery/v1"
import type { EndpointGroup } from "./slices.ts"

type Subset = NonNullable<Endpoints["subsets"]>[number]

/** As Kubernetes bounds it; who needs more reads slices. */
const MOST_ADDRESSES = 1000
export const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"

/** Subsets of IPv4, as the first family of a Service has them. Pods that end are in none. */
export function subsetsOf(groups: readonly EndpointGroup[]): { subsets: Subset[]; isTruncated: boolean } {
  const [first] = groups
  let room = MOST_ADDRESSES
  let isTruncated = false
  const subsets = groups.flatMap(({ addressType, ports, endpoints }): Subset[] => {
    if (addressType !== first?.addressType || endpoints.length === 0) return []
    const live = endpoints.filter(({ conditions }) => conditions?.ready === true || conditions?.terminating !== true)
    const taken = live.slice(0, room)
    room -= taken.length
    isTruncated ||= taken.length < live.length
    const ready = taken.filter(({ conditions }) => conditions?.ready === true).map(addressOf)
    const notReady = taken.filter(({ conditions }) => conditions?.ready !== true).map(addressOf)
    if (taken.length === 0) return []
    return [
      {
        ...(ready.length > 0 && { addresses: ready }),
        ...(notReady.length > 0 && { notReadyAddresses: notReady }),
        ports: ports.map(({ name, port = 0, protocol }) => ({
          ...(name && { name }),
          port,
          protocol: protocol ?? "TCP",
        })),
      },
    ]
  })
  return { subsets, isTruncated }
}

function addressOf({ addresses: [ip = ""], hostname, nodeName, targetRef }: Endpoint): EndpointAddress {
  return { ip, ...(hostname && { hostname }), ...(nodeName && { nodeName }), ...(targetRef && { targetRef }) }
}

/** What somebody wrote by hand, as slices have it. */
export function groupsOfSubsets(subsets: readonly Subset[]): EndpointGroup[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
    (["IPv4", "IPv6"] as const).flatMap((addressType): EndpointGroup[] => {
      const endpoints = [
        ...handEndpoints(addresses, addressType, true),
        ...handEndpoints(notReadyAddresses, addressType, false),
      ]
      if (endpoints.length === 0) return []
      return [
        {
          addressType,
          ports: ports.map(({ name = "", port, protocol = "TCP" }) => ({ name, protocol, port })),
          endpoints,
        },
      ]
    }),
  )
}

function handEndpoints(list: readonly EndpointAddress[], family: "IPv4" | "IPv6", ready: boolean): Endpoint[] {
  const own = list.filter(({ ip }) => ip.includes(":") === (family === "IPv6"))
  return own.map(({ ip, hostname, nodeName, targetRef }) =>
    Object.assign(
      { addresses: [ip], conditions: { ready } },
      hostname && { hostname },
      nodeName && { nodeName },
      targetRef && { targetRef },
    ),
  )
}
