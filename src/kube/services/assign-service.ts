/** The addresses and ports of the host that a Service gets. Pure. */
import type { Service, ServicePort, ServiceSpec } from "kubernetes-types/core/v1"
import { InvalidArgument } from "../../base/errors.ts"
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"
import type { VirtualRanges } from "../../network/network.ts"
import { AddressRange } from "./address-range.ts"

/** kube-apiserver's --service-node-port-range. */
const FIRST_NODE_PORT = 30_000
const LAST_NODE_PORT = 32_767
/** Of the range of Services so many at its beginning are given to those alone that ask for one (KEP-3070). */
const RESERVED = 256

type Family = "IPv4" | "IPv6"

/** A Service as it is kept, as far as it counts here. */
export interface AssignedService {
  metadata: { name: string; namespace?: string; uid?: string }
  spec?: ServiceSpec
  status?: Service["status"]
}

/** What is given out, and to whom. */
export interface Assignments {
  ranges: VirtualRanges
  /** All Services, this one among them or not. */
  services: Iterable<AssignedService>
}

/**
 * The spec with all that it lacks; the very same where it lacks nothing. What it asks for it gets. Throws InvalidArgument, reason Invalid, for
 * what is another's or not to be had.
 */
export function assignService(service: AssignedService, assignments: Assignments): ServiceSpec {
  const spec = service.spec ?? {}
  const next = withNodePorts(service, withAddresses(service, spec, assignments), assignments)
  return JSON.stringify(next) === JSON.stringify(spec) ? spec : next
}

/** Whether there is nothing left to be given out: what it has was looked at when it got it. Cheap, whatever the number of Services. */
export function isAssigned({ spec = {}, status }: AssignedService): boolean {
  const { type = "ClusterIP", clusterIP, clusterIPs = [], ipFamilies = [], ports = [] } = spec
  if (type === "ExternalName") return clusterIP === undefined && clusterIPs.length === 0
  if (clusterIP === undefined || clusterIPs[0] !== clusterIP || ipFamilies.length === 0) return false
  if (clusterIP !== "None" && clusterIPs.length !== ipFamilies.length) return false
  const isDual = spec.ipFamilyPolicy === "RequireDualStack" || spec.ipFamilyPolicy === "PreferDualStack"
  if (spec.ipFamilyPolicy === undefined || (isDual && ipFamilies.length < 2)) return false
  const wantsPorts = type === "NodePort" || (type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false)
  if (type === "LoadBalancer" && status?.loadBalancer?.ingress === undefined) return false
  return ports.every(({ nodePort }) =>
    wantsPorts ? Boolean(nodePort) : type === "LoadBalancer" || nodePort === undefined,
  )
}

const isOther = (one: AssignedService, other: AssignedService): boolean =>
  one.metadata.name !== other.metadata.name || one.metadata.namespace !== other.metadata.namespace

function withAddresses(service: AssignedService, spec: ServiceSpec, { ranges, services }: Assignments): ServiceSpec {
  if (spec.type === "ExternalName") {
    const { clusterIP: _, clusterIPs: __, ipFamilies: ___, ipFamilyPolicy: ____, ...rest } = spec
    return rest
  }
  const families = familiesOf(service, spec, ranges)
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? (families.length > 1 ? "RequireDualStack" : "SingleStack")
  const common = { ...spec, ipFamilies: families, ipFamilyPolicy }
  const asked = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
  if (asked[0] === "None") return { ...common, clusterIP: "None", clusterIPs: ["None"] }
  const taken = new Set<string>()
  for (const other of services)
    if (isOther(other, service)) for (const address of other.spec?.clusterIPs ?? []) taken.add(address)
  const clusterIPs = families.map((family, index) => {
    const range = new AddressRange(family === "IPv4" ? ranges.services : (ranges.services6 ?? ""))
    const wanted = asked[index]
    if (wanted !== undefined && wanted !== "") return checkedAddress(service, wanted, { range, taken, family })
    return freeAddress(service, range, taken)
  })
  return { ...common, clusterIP: clusterIPs[0] ?? "", clusterIPs }
}

function familiesOf(service: AssignedService, spec: ServiceSpec, ranges: VirtualRanges): Family[] {
  const asked = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter((address) => address !== "None")
  const named = (spec.ipFamilies ?? []) as Family[]
  const ofAddresses = asked.map((address): Family => (address.includes(":") ? "IPv6" : "IPv4"))
  const first = named[0] ?? ofAddresses[0] ?? "IPv4"
  const isDual = spec.ipFamilyPolicy === "PreferDualStack" || spec.ipFamilyPolicy === "RequireDualStack"
  const wanted = isDual ? ([first, first === "IPv4" ? "IPv6" : "IPv4"] as Family[]) : [first]
  if (wanted.includes("IPv6") && ranges.services6 === undefined) {
    if (spec.ipFamilyPolicy === "RequireDualStack" || first === "IPv6")
      throw invalid(service, "spec.ipFamilies", "this cluster is not configured for dual-stack services")
    return wanted.filter((family) => family === "IPv4")
  }
  return wanted
}

function checkedAddress(
  service: AssignedService,
  address: string,
  { range, taken, family }: { range: AddressRange; taken: ReadonlySet<string>; family: Family },
): string {
  const refuse = (why: string): InvalidArgument =>
    invalid(service, "spec.clusterIPs", `failed to allocate IP ${address}: ${why}`)
  if (!(family === "IPv4" ? isIpv4(address) : isIpv6(address))) throw refuse(`it is no ${family} address`)
  if (!range.contains(address))
    throw refuse(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.text}`)
  if (taken.has(address)) throw refuse("provided IP is already allocated")
  return address
}

function freeAddress(service: AssignedService, range: AddressRange, taken: Set<string>): string {
  const found = range.free(taken, RESERVED) ?? range.free(taken, 1)
  if (found === undefined) throw invalid(service, "spec.clusterIPs", "range is full")
  taken.add(found)
  return found
}

function withNodePorts(service: AssignedService, spec: ServiceSpec, { services }: Assignments): ServiceSpec {
  const ports = spec.ports ?? []
  const isWanted =
    spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false)
  if (!isWanted && spec.type !== "LoadBalancer") {
    if (ports.every(({ nodePort }) => nodePort === undefined)) return spec
    return { ...spec, ports: ports.map(withoutNodePort) }
  }
  const taken = new Set<string>()
  for (const other of services)
    if (isOther(other, service))
      for (const { nodePort, protocol = "TCP" } of other.spec?.ports ?? [])
        if (nodePort) taken.add(`${protocol} ${nodePort}`)
  for (const { nodePort, protocol = "TCP" } of ports) {
    if (!nodePort) continue
    if (nodePort < FIRST_NODE_PORT || nodePort > LAST_NODE_PORT)
      throw invalid(
        service,
        "spec.ports.nodePort",
        `provided port ${nodePort} is not in the valid range. The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`,
      )
    if (taken.has(`${protocol} ${nodePort}`))
      throw invalid(service, "spec.ports.nodePort", `provided port ${nodePort} is already allocated`)
  }
  for (const { nodePort, protocol = "TCP" } of ports) if (nodePort) taken.add(`${protocol} ${nodePort}`)
  if (!isWanted) return spec
  return {
    ...spec,
    ports: ports.map((port) =>
      port.nodePort ? port : Object.assign({}, port, { nodePort: freePort(service, port.protocol ?? "TCP", taken) }),
    ),
  }
}

function withoutNodePort(port: ServicePort): ServicePort {
  const { nodePort: _, ...rest } = port
  return rest
}

function freePort(service: AssignedService, protocol: string, taken: Set<string>): number {
  const count = LAST_NODE_PORT - FIRST_NODE_PORT + 1
  const [chance = 0] = crypto.getRandomValues(new Uint16Array(1))
  for (let step = 0; step < count; step++) {
    const port = FIRST_NODE_PORT + ((chance + step) % count)
    if (taken.has(`${protocol} ${port}`)) continue
    taken.add(`${protocol} ${port}`)
    return port
  }
  throw invalid(service, "spec.ports.nodePort", "no port of the range is free")
}

/** The address of a load balancer: what it has, what it asks for, or the next that is free. Undefined: it is none of ours. */
export function balancedAddress(service: AssignedService, { ranges, services }: Assignments): string | undefined {
  const { spec, status } = service
  if (spec?.type !== "LoadBalancer" || spec.loadBalancerClass !== undefined) return undefined
  const range = new AddressRange(ranges.balanced)
  const taken = new Set<string>()
  for (const other of services)
    if (isOther(other, service)) for (const { ip } of other.status?.loadBalancer?.ingress ?? []) if (ip) taken.add(ip)
  const candidates = [spec.loadBalancerIP, status?.loadBalancer?.ingress?.[0]?.ip]
  const own = candidates.find((address) => address !== undefined && range.contains(address) && !taken.has(address))
  return own ?? range.free(taken, 1)
}

function invalid({ metadata: { name } }: AssignedService, field: string, why: string): InvalidArgument {
  return new InvalidArgument(`Service "${name}" is invalid: ${field}: Invalid value: ${why}`, {
    field,
    data: { reason: "Invalid", resource: "services", name, causes: [{ field, message: why }] },
  })
}
