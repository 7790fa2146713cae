/**
 * Gateways of ours and the HTTPRoutes that are attached to them (gateway.networking.k8s.io/v1): where they lead, what certificates they name, and
 * what is to be said of each. Pure.
 */
import { byCodeUnit } from "../../base/by-code-unit.ts"
import type { StoredObject } from "../objects/objects.ts"
import { routesOfRule } from "./gateway-rule.ts"
import {
  specOf,
  type BackendRef,
  type GatewaySpec,
  type Listener,
  type ParentRef,
  type RouteSpec,
} from "./gateway-spec.ts"
import { INGRESS_CLASS, INGRESS_CONTROLLER, type Backend, type Route } from "./routes.ts"

/** What is looked at. */
export interface GatewayObjects {
  classes: readonly StoredObject[]
  gateways: readonly StoredObject[]
  routes: readonly StoredObject[]
  namespaces: readonly StoredObject[]
  hasService(namespace: string, name: string): boolean
  hasSecret(namespace: string, name: string): boolean
}

/** Hosts, and the Secret with the certificate that answers for them. */
export interface GatewayTls {
  hosts: readonly string[]
  namespace: string
  secretName: string
}

/** True; or why it is not, in the specification's words. */
export type Verdict = true | { reason: string; message: string }

/** What is to be said of a listener. */
export interface ListenerVerdict {
  listener: Listener
  accepted: Verdict
  resolved: Verdict
  attachedRoutes: number
}

/** What is to be said of a route, to one of its parents. */
export interface ParentVerdict {
  ref: ParentRef
  accepted: Verdict
  resolved: Verdict
  /** Rules that lead nobody, while others do. */
  dropped: number
}

/** What Gateways of ours come to, and what is to be said of each object. */
export interface ResolvedGateways {
  routes: readonly Route[]
  tls: readonly GatewayTls[]
  classes: readonly StoredObject[]
  gateways: readonly { gateway: StoredObject; listeners: readonly ListenerVerdict[] }[]
  parents: readonly { route: StoredObject; parents: readonly ParentVerdict[] }[]
}

const PROTOCOLS = new Set(["HTTP", "HTTPS"])

/** Reads Gateways and HTTPRoutes together with what they name. Pure. */
export function resolveGateways(objects: GatewayObjects): ResolvedGateways {
  const controllerOf = new Map(
    objects.classes.map((one) => [one.metadata.name, specOf<{ controllerName?: string }>(one).controllerName]),
  )
  const isOurs = (gateway: StoredObject): boolean => {
    const { gatewayClassName = "" } = specOf<GatewaySpec>(gateway)
    return controllerOf.has(gatewayClassName)
      ? controllerOf.get(gatewayClassName) === INGRESS_CONTROLLER
      : gatewayClassName === INGRESS_CLASS
  }
  const gateways = objects.gateways
    .filter((one) => isOurs(one) && one.metadata.deletionTimestamp === undefined)
    .map((gateway) => ({ gateway, listeners: listenersOf(gateway, objects) }))
  const own = new Map(gateways.map((one) => [keyOf(one.gateway), one]))
  const labels = new Map(objects.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]))
  const found: Route[] = []
  const hostsOf = new Map<ListenerVerdict, Set<string>>()
  const parents = objects.routes
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted(byAge)
    .flatMap((route) => {
      const spec = specOf<RouteSpec>(route)
      const namespace = route.metadata.namespace ?? "default"
      const refs = (spec.parentRefs ?? []).flatMap((ref) => {
        const parent = (ref.kind ?? "Gateway") === "Gateway" && own.get(`${ref.namespace ?? namespace}/${ref.name}`)
        return parent ? [{ ref, parent }] : []
      })
      if (refs.length === 0) return []
      const { rules, resolved, dropped } = rulesOf(spec, namespace, objects)
      const all = new Set<string>()
      const verdicts = refs.map(({ ref, parent }): ParentVerdict => {
        const attached = attach(spec, ref, parent, { namespace, labels: labels.get(namespace) ?? {} })
        if ("reason" in attached) return { ref, accepted: attached, resolved, dropped }
        if (rules.length === 0 && dropped > 0)
          return {
            ref,
            accepted: {
              reason: "UnsupportedValue",
              message: "no rule of it can be held: expressions, or filters that are not known",
            },
            resolved,
            dropped: 0,
          }
        for (const { listener, hosts } of attached.to) {
          listener.attachedRoutes++
          const known = hostsOf.get(listener) ?? new Set<string>()
          hostsOf.set(listener, known)
          for (const host of hosts) {
            known.add(host)
            all.add(host)
          }
        }
        return { ref, accepted: true, resolved, dropped }
      })
      for (const host of all)
        for (const rule of rules)
          found.push({
            host: host.startsWith("*.") ? `*${host}` : host,
            path: rule.path,
            isExact: rule.isExact,
            backend: undefined,
            rewrite: undefined,
            redirectsToTls: false,
            target: rule.target,
          })
      return [{ route, parents: verdicts }]
    })
  return {
    routes: found,
    tls: gateways.flatMap(tlsOf(hostsOf)),
    classes: objects.classes.filter((one) => controllerOf.get(one.metadata.name) === INGRESS_CONTROLLER),
    gateways,
    parents,
  }
}

const keyOf = ({ metadata }: StoredObject): string => `${metadata.namespace ?? "default"}/${metadata.name}`

/** Who was first has what two say. */
function byAge(one: StoredObject, other: StoredObject): number {
  const [a, b] = [one, other].map((route) => `${route.metadata.creationTimestamp} ${keyOf(route)}`) as [string, string]
  return byCodeUnit(a, b)
}

function listenersOf(gateway: StoredObject, objects: GatewayObjects): ListenerVerdict[] {
  const namespace = gateway.metadata.namespace ?? "default"
  return (specOf<GatewaySpec>(gateway).listeners ?? []).map((listener) => {
    const accepted: Verdict = PROTOCOLS.has(listener.protocol ?? "HTTP")
      ? true
      : { reason: "UnsupportedProtocol", message: "HTTP and HTTPS are answered here" }
    const bad = listener.tls?.certificateRefs?.map((ref) => certificateVerdict(ref, namespace, objects)) ?? []
    const kinds = listener.allowedRoutes?.kinds ?? []
    const hasKind = kinds.length === 0 || kinds.some(({ kind }) => kind === "HTTPRoute")
    const resolved: Verdict = hasKind
      ? (bad.find((one) => one !== true) ?? true)
      : { reason: "InvalidRouteKinds", message: "only an HTTPRoute is known here" }
    return { listener, accepted, resolved, attachedRoutes: 0 }
  })
}

function certificateVerdict(
  {
    kind = "Secret",
    group = "",
    namespace: of,
    name = "",
  }: { kind?: string; group?: string; namespace?: string; name?: string },
  namespace: string,
  { hasSecret }: GatewayObjects,
): Verdict {
  if (kind !== "Secret" || group !== "")
    return { reason: "InvalidCertificateRef", message: "a certificate is a Secret's" }
  if ((of ?? namespace) !== namespace)
    return { reason: "RefNotPermitted", message: "a Secret of another namespace is not given here" }
  return hasSecret(namespace, name) || { reason: "InvalidCertificateRef", message: `there is no Secret "${name}"` }
}

/** To which listeners of this parent, under which hosts; or why to none. */
function attach(
  { hostnames = [] }: RouteSpec,
  ref: ParentRef,
  { gateway, listeners }: { gateway: StoredObject; listeners: readonly ListenerVerdict[] },
  own: { namespace: string; labels: Readonly<Record<string, string>> },
): { to: { listener: ListenerVerdict; hosts: string[] }[] } | { reason: string; message: string } {
  const named = listeners.filter(
    ({ listener, accepted }) =>
      accepted === true &&
      (ref.sectionName === undefined || ref.sectionName === listener.name) &&
      (ref.port === undefined || ref.port === listener.port),
  )
  if (named.length === 0) return { reason: "NoMatchingParent", message: "no listener of the Gateway is meant" }
  const allowed = named.filter(({ listener }) => allows(listener, gateway.metadata.namespace ?? "default", own))
  if (allowed.length === 0)
    return { reason: "NotAllowedByListeners", message: "the Gateway's listeners take no such route of this namespace" }
  const to = allowed.flatMap((listener) => {
    const wanted = hostnames.length === 0 ? [""] : hostnames
    const hosts = wanted.flatMap((host) => intersection(host, listener.listener.hostname ?? "") ?? [])
    return hosts.length === 0 ? [] : [{ listener, hosts }]
  })
  return to.length > 0
    ? { to }
    : { reason: "NoMatchingListenerHostname", message: "no listener has one of the route's hosts" }
}

function allows(
  { allowedRoutes = {} }: Listener,
  gatewayNamespace: string,
  own: { namespace: string; labels: Readonly<Record<string, string>> },
): boolean {
  const { namespaces = {}, kinds = [] } = allowedRoutes
  if (kinds.length > 0 && !kinds.some(({ kind }) => kind === "HTTPRoute")) return false
  if (namespaces.from === "All") return true
  if (namespaces.from !== "Selector") return own.namespace === gatewayNamespace
  const { matchLabels = {}, matchExpressions } = namespaces.selector ?? {}
  // expressions are not looked through here: nobody is let in by them
  if (matchExpressions !== undefined) return false
  return Object.entries(matchLabels).every(([name, value]) => own.labels[name] === value)
}

const covers = (wild: string, host: string): boolean => wild.startsWith("*.") && host.endsWith(wild.slice(1))

/** What both mean; empty: every host. Undefined: nothing. */
export function intersection(one: string, other: string): string | undefined {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()]
  if (a === b || b === "") return a
  if (a === "") return b
  return covers(b, a) ? a : covers(a, b) ? b : undefined
}

function rulesOf(
  { rules = [{}] }: RouteSpec,
  namespace: string,
  { hasService }: GatewayObjects,
): { rules: NonNullable<ReturnType<typeof routesOfRule>>; resolved: Verdict; dropped: number } {
  let resolved: Verdict = true
  const wrong = (reason: string, message: string): undefined => void (resolved = { reason, message })
  const backendOf = ({
    kind = "Service",
    group = "",
    namespace: of,
    name = "",
    port,
  }: BackendRef): Backend | undefined => {
    if (kind !== "Service" || (group !== "" && group !== "core"))
      return wrong("InvalidKind", `a backend is a Service, and no ${kind.slice(0, 60)}`)
    if ((of ?? namespace) !== namespace)
      return wrong("RefNotPermitted", "a Service of another namespace is not given here")
    if (port === undefined) return wrong("UnsupportedValue", "a backend has a port")
    if (!hasService(namespace, name)) return wrong("BackendNotFound", `there is no Service "${name.slice(0, 100)}"`)
    return { namespace, service: name, port: { number: port } }
  }
  const all = rules.map((rule) => routesOfRule(rule, backendOf))
  return { rules: all.flatMap((one) => one ?? []), resolved, dropped: all.filter((one) => one === undefined).length }
}

const tlsOf =
  (hostsOf: ReadonlyMap<ListenerVerdict, ReadonlySet<string>>) =>
  ({ gateway, listeners }: { gateway: StoredObject; listeners: readonly ListenerVerdict[] }): GatewayTls[] =>
    listeners.flatMap((one) => {
      const { hostname, tls } = one.listener
      const secretName = tls?.certificateRefs?.[0]?.name
      if (secretName === undefined || one.accepted !== true || one.resolved !== true) return []
      const hosts = hostname === undefined ? [...(hostsOf.get(one) ?? [])].filter((host) => host !== "") : [hostname]
      return [{ hosts, namespace: gateway.metadata.namespace ?? "default", secretName }]
    })
