/**
 * Names of Services and their endpoints (github.com/kubernetes/dns, specification 1.1.0), as the objects are at the moment of the question.
 *
 *   web.shop.svc.cluster.local                 its address; of one without, those of its ready endpoints
 *   web-0.db.shop.svc.cluster.local            an endpoint with a name of its own; without, `10-244-0-7.db.…`
 *   _http._tcp.web.shop.svc.cluster.local      SRV: port and name
 *   10-244-0-7.shop.pod.cluster.local          a pod, whoever it is
 */
import type { Service } from "kubernetes-types/core/v1"
import type { Endpoint, EndpointSlice } from "kubernetes-types/discovery/v1"
import type { NamedAnswer, NamedRecord, NameSource } from "../../network/network.ts"
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"
import type { Kept } from "../controllers/kept.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { CLUSTER_DOMAIN } from "./cluster-network.ts"
import { SERVICE_NAME, SLICES } from "./slices.ts"
import { isReady } from "./virtual-ports.ts"

const SCHEMA_VERSION = "1.1.0"
const SVC = `svc.${CLUSTER_DOMAIN}`

type Reader = Pick<KubeObjects, "find" | "list" | "resourceVersion">

/** The names of a cluster's objects. */
export function clusterNames(objects: Reader): NameSource {
  const service = (name: string, namespace: string): Kept<Service> | undefined =>
    objects.find("services", name, namespace) as Kept<Service> | undefined
  const reverse = new ReverseNames(objects)
  return {
    nameOf: (address) => reverse.find(address),
    find(name) {
      if (name !== CLUSTER_DOMAIN && !name.endsWith(`.${CLUSTER_DOMAIN}`)) return undefined
      const words = name
        .slice(0, -CLUSTER_DOMAIN.length - 1)
        .split(".")
        .toReversed()
      if (name === CLUSTER_DOMAIN) return { records: [] }
      const [kind, namespace, ...rest] = words
      if (kind === "dns-version" && namespace === undefined)
        return { records: [{ type: "text", text: SCHEMA_VERSION }] }
      if (kind !== "svc" && kind !== "pod") return "none"
      if (namespace === undefined) return { records: [] }
      if (objects.find("namespaces", namespace) === undefined) return "none"
      if (rest.length === 0) return { records: [] }
      if (kind === "pod") return rest.length === 1 ? podAnswer(rest[0] ?? "") : "none"
      const [of = "", ...inner] = rest
      const found = service(of, namespace)
      return found === undefined ? "none" : serviceAnswer(objects, found, inner)
    },
  }
}

function serviceAnswer(objects: Reader, service: Kept<Service>, inner: readonly string[]): NamedAnswer | "none" {
  const { type, externalName = "", clusterIPs = [], ports = [] } = service.spec ?? {}
  if (type === "ExternalName")
    return inner.length === 0 ? { alias: externalName.replace(/\.$/, "").toLowerCase() } : "none"
  const own = `${service.metadata.name}.${service.metadata.namespace}.${SVC}`
  const isHeadless = clusterIPs[0] === "None"
  const addresses = clusterIPs.filter((address) => address !== "None" && address !== "")
  const endpoints = isHeadless ? namedEndpoints(objects, service) : []
  if (inner.length === 0) {
    const all = isHeadless ? [...new Set(endpoints.map(({ address }) => address))] : addresses
    // a Service that has nobody is a name without an address, as CoreDNS has it: NXDOMAIN for who is headless
    return isHeadless && all.length === 0 ? "none" : { records: all.map(address) }
  }
  const [first = "", second] = inner
  if (inner.length === 1 && !first.startsWith("_")) {
    const named = endpoints.filter(({ label }) => label === first)
    return named.length === 0 ? "none" : { records: [...new Set(named.map((one) => one.address))].map(address) }
  }
  // _port._protocol, the last word first
  if (inner.length !== 2 || second === undefined || !first.startsWith("_") || !second.startsWith("_")) return "none"
  const [protocol, portName] = [first.slice(1).toUpperCase(), second.slice(1)]
  if (isHeadless) {
    const offering = endpoints.flatMap(({ label, address: at, ports: of }) => {
      const port = of.find((one) => one.name === portName && (one.protocol ?? "TCP") === protocol)?.port
      return port === undefined ? [] : [{ target: `${label}.${own}`, port, at }]
    })
    if (offering.length === 0) return "none"
    return {
      records: offering.map(({ target, port }) => ({ type: "service", target, port })),
      additional: offering.map(({ target, at }) => ({ type: "address", address: at, name: target })),
    }
  }
  const port = ports.find((one) => one.name === portName && (one.protocol ?? "TCP") === protocol)?.port
  if (port === undefined) return "none"
  return {
    records: [{ type: "service", target: own, port }],
    additional: addresses.map((one) => ({ type: "address", address: one, name: own })),
  }
}

const address = (text: string): NamedRecord => ({ type: "address", address: text })

interface NamedEndpoint {
  /** Its own word before the Service's name. */
  label: string
  address: string
  ports: NonNullable<EndpointSlice["ports"]>
}

function namedEndpoints(objects: Reader, { metadata }: Kept<Service>): NamedEndpoint[] {
  const slices = objects.list(SLICES, {
    namespace: metadata.namespace,
    fits: ({ metadata: { labels } }) => labels?.[SERVICE_NAME] === metadata.name,
  }).items as unknown as Kept<EndpointSlice>[]
  return slices.flatMap(({ endpoints, ports = [] }) =>
    (endpoints ?? []).filter(isReady).flatMap((endpoint) => {
      const [at] = endpoint.addresses
      return at === undefined ? [] : [{ label: labelOf(endpoint, at), address: at, ports }]
    }),
  )
}

function labelOf({ hostname }: Endpoint, at: string): string {
  return hostname?.toLowerCase() ?? at.replaceAll(/[.:]/g, "-")
}

/** `10-244-0-7`, `fd00--7`: whoever has it, as CoreDNS answers by default. */
function podAnswer(word: string): NamedAnswer | "none" {
  const [v4, v6] = [word.replaceAll("-", "."), word.replaceAll("-", ":")]
  if (isIpv4(v4)) return { records: [address(v4)] }
  return isIpv6(v6) ? { records: [address(v6)] } : "none"
}

/** Addresses of Services, and of endpoints that have a name: read anew when any object has changed. */
class ReverseNames {
  readonly #objects: Reader
  #version = ""
  #names = new Map<string, string>()

  constructor(objects: Reader) {
    this.#objects = objects
  }

  find(text: string): string | undefined {
    const version = this.#objects.resourceVersion()
    if (version !== this.#version) {
      this.#names = this.#read()
      this.#version = version
    }
    return this.#names.get(text)
  }

  #read(): Map<string, string> {
    const names = new Map<string, string>()
    const headless = new Set<string>()
    for (const { metadata, spec } of this.#objects.list("services").items as unknown as Kept<Service>[]) {
      const own = `${metadata.name}.${metadata.namespace}.${SVC}`
      for (const one of spec?.clusterIPs ?? [])
        if (one === "None") headless.add(own)
        else names.set(one, own)
    }
    for (const { metadata, endpoints } of this.#objects.list(SLICES).items as unknown as Kept<EndpointSlice>[]) {
      const own = `${metadata.labels?.[SERVICE_NAME]}.${metadata.namespace}.${SVC}`
      if (!headless.has(own)) continue
      for (const endpoint of endpoints ?? [])
        for (const at of endpoint.addresses) names.set(at, `${labelOf(endpoint, at)}.${own}`)
    }
    return names
  }
}
