/** EndpointSlices of a Service: which pods answer for it, and how they are. Pure. */
import type { Pod, Service, ServicePort } from "kubernetes-types/core/v1"
import type { Endpoint, EndpointPort, EndpointSlice } from "kubernetes-types/discovery/v1"
import type { Kept } from "../controllers/kept.ts"

export const SLICES = "endpointslices.discovery.k8s.io"
export const SERVICE_NAME = "kubernetes.io/service-name"
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
export const SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
export const MIRROR_CONTROLLER = "endpointslicemirroring-controller.k8s.io"

/** As the controller of Kubernetes has it: a change of one endpoint rewrites so many. */
const MOST_IN_SLICE = 100

/** Endpoints that have the same ports. */
export interface EndpointGroup {
  addressType: "IPv4" | "IPv6"
  ports: EndpointPort[]
  endpoints: Endpoint[]
}

/** What a Service's pods are as endpoints, in groups of one family and the same ports. */
export function groupsOf(service: Kept<Service>, pods: readonly Kept<Pod>[]): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup>()
  const families = service.spec?.ipFamilies ?? ["IPv4"]
  for (const pod of pods) {
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue
    const ports = portsOf(service.spec?.ports ?? [], pod)
    for (const family of families) {
      const address = addressOf(pod, family)
      if (address === undefined) continue
      const key = `${family} ${JSON.stringify(ports)}`
      const group = groups.get(key) ?? { addressType: family as "IPv4" | "IPv6", ports, endpoints: [] }
      groups.set(key, group)
      group.endpoints.push(endpointOf(service, pod, address))
    }
  }
  // one without any says which ports there would be
  for (const family of families)
    if (![...groups.values()].some(({ addressType }) => addressType === family))
      groups.set(family, { addressType: family as "IPv4" | "IPv6", ports: [], endpoints: [] })
  return [...groups.values()]
}

function addressOf({ status }: Kept<Pod>, family: string): string | undefined {
  const all = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)]
  return all.find((address) => address !== undefined && address !== "" && address.includes(":") === (family === "IPv6"))
}

function endpointOf(service: Kept<Service>, pod: Kept<Pod>, address: string): Endpoint {
  const { namespace, name, uid } = pod.metadata
  const isTerminating = pod.metadata.deletionTimestamp !== undefined
  const isAlways = service.spec?.publishNotReadyAddresses === true
  const isServing =
    isAlways || pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true
  const { hostname, subdomain, nodeName } = pod.spec ?? {}
  return {
    addresses: [address],
    conditions: { ready: isServing && (isAlways || !isTerminating), serving: isServing, terminating: isTerminating },
    ...(hostname && subdomain === service.metadata.name && { hostname }),
    ...(nodeName && { nodeName }),
    targetRef: { kind: "Pod", ...(namespace !== undefined && { namespace }), name, uid },
  }
}

/** A Service's ports as a pod has them; those that it does not know by name it has not. */
export function portsOf(ports: readonly ServicePort[], pod: Kept<Pod>): EndpointPort[] {
  return ports.flatMap((port) => {
    const { name = "", protocol = "TCP", appProtocol, targetPort = port.port } = port
    const number = typeof targetPort === "number" ? targetPort || port.port : namedPort(pod, targetPort, protocol)
    return number === undefined
      ? []
      : [{ name, protocol, port: number, ...(appProtocol !== undefined && { appProtocol }) }]
  })
}

/** A number in quotes is a number (intstr). */
export function namedPort({ spec }: Kept<Pod>, name: string, protocol: string): number | undefined {
  if (/^\d{1,5}$/.test(name)) return Number(name)
  const sidecars = (spec?.initContainers ?? []).filter(
    (one) => (one as { restartPolicy?: string }).restartPolicy === "Always",
  )
  for (const { ports = [] } of [...(spec?.containers ?? []), ...sidecars])
    for (const port of ports) if (port.name === name && (port.protocol ?? "TCP") === protocol) return port.containerPort
  return undefined
}

/** What is to be done with the slices that are there. */
export interface SliceChanges {
  create: { addressType: string; ports: EndpointPort[]; endpoints: Endpoint[] }[]
  update: { slice: Kept<EndpointSlice>; endpoints: Endpoint[] }[]
  delete: Kept<EndpointSlice>[]
}

/** As few slices change as can be: endpoints stay in theirs, new ones fill it. */
export function sliceChanges(groups: readonly EndpointGroup[], slices: readonly Kept<EndpointSlice>[]): SliceChanges {
  const changes: SliceChanges = { create: [], update: [], delete: [] }
  const left = new Set(slices)
  for (const { addressType, ports, endpoints } of groups) {
    const own = slices.filter(
      (slice) =>
        left.has(slice) &&
        slice.addressType === addressType &&
        JSON.stringify(slice.ports ?? []) === JSON.stringify(ports),
    )
    const wanted = new Map(endpoints.map((endpoint) => [keyOf(endpoint), endpoint]))
    const kept = own.map((slice) => ({
      slice,
      endpoints: slice.endpoints.flatMap((endpoint) => {
        const now = wanted.get(keyOf(endpoint))
        wanted.delete(keyOf(endpoint))
        return now === undefined ? [] : [now]
      }),
    }))
    const fresh = [...wanted.values()]
    for (const one of kept) one.endpoints.push(...fresh.splice(0, Math.max(0, MOST_IN_SLICE - one.endpoints.length)))
    const isNeeded = (one: (typeof kept)[number]): boolean => one.endpoints.length > 0
    const used = kept.some(isNeeded) || fresh.length > 0 ? kept.filter(isNeeded) : kept.slice(0, 1)
    for (const { slice, endpoints: now } of used) {
      left.delete(slice)
      if (JSON.stringify(slice.endpoints) !== JSON.stringify(now)) changes.update.push({ slice, endpoints: now })
    }
    if (used.length === 0 && fresh.length === 0) changes.create.push({ addressType, ports, endpoints: [] })
    while (fresh.length > 0) changes.create.push({ addressType, ports, endpoints: fresh.splice(0, MOST_IN_SLICE) })
  }
  changes.delete.push(...left)
  return changes
}

function keyOf({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ""} ${addresses.join(",")}`
}
