/** Who answers for a backend: endpoints of a Service, in turn. */
import type { Service } from "kubernetes-types/core/v1"
import type { EndpointSlice } from "kubernetes-types/discovery/v1"
import type { VirtualEndpoint } from "../../network/network.ts"
import type { Kept } from "../controllers/kept.ts"
import { endpointsOf } from "../services/virtual-ports.ts"
import type { Backend } from "./routes.ts"

/** What a backend speaks (Service's appProtocol; KEP-3726). */
export type BackendProtocol = "http" | "h2c"

/** Where to call. */
export interface Upstream {
  /** Each to be tried, in order. None: nobody is there. */
  endpoints: readonly VirtualEndpoint[]
  protocol: BackendProtocol
}

const H2C = new Set(["kubernetes.io/h2c", "h2c", "grpc"])

/**
 * Undefined: there is no such Service, or one that names a host elsewhere: whoever may write an Ingress must not have the proxy call
 * whom he likes. `turn` counts up.
 */
export function upstreamOf(
  { port }: Backend,
  service: Kept<Service> | undefined,
  slices: readonly Kept<EndpointSlice>[],
  turn: number,
): Upstream | undefined {
  if (service === undefined || service.spec?.type === "ExternalName") return undefined
  const own = (service.spec?.ports ?? []).find((one) =>
    "name" in port ? one.name === port.name : one.port === port.number,
  )
  if (own === undefined || (own.protocol ?? "TCP") !== "TCP") return undefined
  const endpoints = endpointsOf(slices, own.name ?? "")
  const first = endpoints.length === 0 ? 0 : turn % endpoints.length
  return {
    endpoints: [...endpoints.slice(first), ...endpoints.slice(0, first)],
    protocol: own.appProtocol !== undefined && H2C.has(own.appProtocol.toLowerCase()) ? "h2c" : "http",
  }
}
