/** What Ingresses say of hosts and paths (networking.k8s.io/v1). Pure. */
import type { Ingress, IngressBackend, IngressClass } from "kubernetes-types/networking/v1"
import type { Kept } from "../controllers/kept.ts"

/** The controller that an IngressClass of ours names. */
export const INGRESS_CONTROLLER = "skiff.dev/ingress"
/** The class that is ours without an object that says so. */
export const INGRESS_CLASS = "skiff"
const CLASS_ANNOTATION = "kubernetes.io/ingress.class"
const REWRITE = ["skiff.dev/rewrite-target", "nginx.ingress.kubernetes.io/rewrite-target"]
const REDIRECT = ["skiff.dev/ssl-redirect", "nginx.ingress.kubernetes.io/ssl-redirect"]

/** DNS has no longer names (RFC 1035, section 2.3.4). */
const MOST_WORDS = 128

/** Where a request goes. */
export interface Backend {
  namespace: string
  service: string
  port: { name: string } | { number: number }
}

/** What a route wants of a request beside host and path. */
export interface RequestMatch {
  method?: string
  /** Names in lower case. */
  headers: readonly (readonly [name: string, value: string])[]
  query: readonly (readonly [name: string, value: string])[]
}

/** The same of a request that came. */
export interface RequestFacts {
  method: string
  header(name: string): string | undefined
  query(name: string): string | undefined
}

/** A path in the place of the whole, or of the part that was matched. */
export interface PathChange {
  isFull: boolean
  value: string
}

/** Names in lower case. */
export interface HeaderChanges {
  set: readonly (readonly [name: string, value: string])[]
  add: readonly (readonly [name: string, value: string])[]
  remove: readonly string[]
}

/** A backend with its share of a route's requests. */
export interface WeightedBackend {
  /** Undefined: there is none by that name. */
  backend: Backend | undefined
  weight: number
}

/** What a route of a Gateway has more than a rule of an Ingress. */
export interface RouteTarget {
  match: RequestMatch
  backends: readonly WeightedBackend[]
  redirect?: { status: number; scheme?: string; host?: string; port?: number; path?: PathChange }
  rewrite?: { host?: string; path?: PathChange }
  requestHeaders?: HeaderChanges
  responseHeaders?: HeaderChanges
}

/** Which requests go where: by host, then by path. */
export interface Route {
  /** Empty: every one. `*.example.org` stands for one word more, `**.example.org` for one and more. */
  host: string
  path: string
  isExact: boolean
  backend: Backend | undefined
  /** What stands in the place of the path that was matched. */
  rewrite: string | undefined
  redirectsToTls: boolean
  /** In place of `backend` and `rewrite`. */
  target?: RouteTarget
}

/** What was found for a request. */
export interface RouteFound {
  backend: Backend | undefined
  /** What the backend is asked for. */
  path: string
  redirectsToTls: boolean
  /** The one that was chosen is not there: it is the rule's fault. */
  isBroken?: boolean
  /** What the backend is told that its name is. */
  host?: string
  /** `path`: where to. */
  redirect?: { status: number; scheme?: string; host?: string; port?: number; path: string }
  requestHeaders?: HeaderChanges
  responseHeaders?: HeaderChanges
}

/** Ingresses that are ours, the oldest first: who was first has what two say. */
export function ownIngresses(
  ingresses: readonly Kept<Ingress>[],
  classes: readonly Kept<IngressClass>[],
): Kept<Ingress>[] {
  const known = new Map(classes.map(({ metadata, spec }) => [metadata.name, spec?.controller]))
  const isOurs = ({ spec, metadata }: Kept<Ingress>): boolean => {
    const name = spec?.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION]
    if (name === undefined) return true
    return known.has(name) ? known.get(name) === INGRESS_CONTROLLER : name === INGRESS_CLASS
  }
  return ingresses
    .filter((one) => isOurs(one) && one.metadata.deletionTimestamp === undefined)
    .toSorted((one, other) =>
      one.metadata.creationTimestamp === other.metadata.creationTimestamp
        ? keyOf(one) < keyOf(other)
          ? -1
          : 1
        : one.metadata.creationTimestamp < other.metadata.creationTimestamp
          ? -1
          : 1,
    )
}

const keyOf = ({ metadata }: Kept<Ingress>): string => `${metadata.namespace}/${metadata.name}`

/** All rules together: of Ingresses, and then of Gateways' routes (gateway-routes.ts). */
export class Routes {
  readonly #byHost = new Map<string, Route[]>()
  readonly #usual: Route[] = []

  /** `gateway`: those of Gateways, the oldest first; of two alike an Ingress has it. */
  constructor(ingresses: readonly Kept<Ingress>[], gateway: readonly Route[] = []) {
    for (const ingress of ingresses) this.#add(ingress)
    for (const route of gateway) {
      const routes = this.#byHost.get(route.host) ?? []
      this.#byHost.set(route.host, routes)
      routes.push(route)
    }
    // the longest path first, and of equals the exact one (Ingress, "multiple matches"); then who wants more of a request (HTTPRouteMatch)
    for (const routes of this.#byHost.values()) routes.sort(bySpecificity)
  }

  #add({ metadata, spec = {} }: Kept<Ingress>): void {
    const { namespace = "default", annotations = {} } = metadata
    const usual = backendOf(spec.defaultBackend, namespace)
    const tlsHosts = new Set((spec.tls ?? []).flatMap(({ hosts }) => hosts ?? []))
    const wantsTls = REDIRECT.some((name) => annotations[name] === "true")
    const rewrite = REWRITE.map((name) => annotations[name]).find(
      (target) => target !== undefined && /^\/[!-~]*$/.test(target),
    )
    const add = (host: string, path: string, isExact: boolean, backend: Backend | undefined): void => {
      const routes = this.#byHost.get(host) ?? []
      this.#byHost.set(host, routes)
      if (routes.some((route) => route.path === path && route.isExact === isExact)) return
      routes.push({ host, path, isExact, backend, rewrite, redirectsToTls: wantsTls && tlsHosts.has(host) })
    }
    for (const { host = "", http } of spec.rules ?? []) {
      const name = host.toLowerCase()
      for (const { path = "/", pathType, backend } of http?.paths ?? [])
        add(name, path === "" ? "/" : path, pathType === "Exact", backendOf(backend, namespace))
      if (usual !== undefined && (http?.paths ?? []).length === 0) add(name, "/", false, usual)
    }
    if (usual !== undefined)
      this.#usual.push({
        host: "",
        path: "/",
        isExact: false,
        backend: usual,
        rewrite: undefined,
        redirectsToTls: false,
      })
  }

  /** Undefined: nobody has it. `path` begins with `/`, without the question. */
  find(host: string, path: string, request?: RequestFacts): RouteFound | undefined {
    for (const one of hostsFor(host.toLowerCase())) {
      const routes = this.#byHost.get(one)
      const route = routes?.find((candidate) => fits(candidate, path) && isMeant(candidate, request))
      if (route !== undefined) return found(route, path)
    }
    const [usual] = this.#usual
    return usual && found(usual, path)
  }
}

/** The most specific first. */
function hostsFor(name: string): string[] {
  const words = name.split(".")
  // one of an Ingress stands for one word, one of a Gateway for any number; nobody's name has more
  const ends = words.slice(1, MOST_WORDS).map((_, index) => words.slice(index + 1).join("."))
  return [name, ...(ends[0] === undefined ? [] : [`*.${ends[0]}`]), ...ends.map((end) => `**.${end}`), ""]
}

function bySpecificity(one: Route, other: Route): number {
  const wants = ({ target }: Route): [number, number, number] => [
    Number(target?.match.method !== undefined),
    target?.match.headers.length ?? 0,
    target?.match.query.length ?? 0,
  ]
  const [a, b] = [wants(one), wants(other)]
  return (
    other.path.length - one.path.length ||
    Number(other.isExact) - Number(one.isExact) ||
    b[0] - a[0] ||
    b[1] - a[1] ||
    b[2] - a[2]
  )
}

function isMeant({ target }: Route, request: RequestFacts | undefined): boolean {
  if (target === undefined) return true
  const { method, headers, query } = target.match
  if (method === undefined && headers.length + query.length === 0) return true
  if (request === undefined) return false
  return (
    (method === undefined || method === request.method) &&
    headers.every(([name, value]) => request.header(name) === value) &&
    query.every(([name, value]) => request.query(name) === value)
  )
}

function fits({ path: wanted, isExact }: Route, path: string): boolean {
  if (isExact) return path === wanted
  const prefix = wanted.replace(/\/+$/, "")
  return path === prefix || path.startsWith(`${prefix}/`) || (prefix === "" && path.startsWith("/"))
}

function foundByTarget({ path: matched, isExact }: Route, target: RouteTarget, path: string): RouteFound {
  const { redirect, rewrite, backends, requestHeaders, responseHeaders } = target
  const changed = (change: PathChange | undefined): string => {
    if (change === undefined) return path
    if (change.isFull) return change.value
    const rest = isExact ? "" : path.slice(matched.replace(/\/+$/, "").length)
    return `${change.value.replace(/\/+$/, "")}${rest}` || "/"
  }
  const common = { redirectsToTls: false, ...(responseHeaders && { responseHeaders }) }
  if (redirect !== undefined)
    return { ...common, backend: undefined, path, redirect: { ...redirect, path: changed(redirect.path) } }
  const chosen = drawn(backends)
  return {
    ...common,
    backend: chosen,
    isBroken: chosen === undefined,
    path: changed(rewrite?.path),
    ...(rewrite?.host !== undefined && { host: rewrite.host }),
    ...(requestHeaders && { requestHeaders }),
  }
}

/** By their weights. */
function drawn(backends: readonly WeightedBackend[]): Backend | undefined {
  let left = Math.random() * backends.reduce((sum, { weight }) => sum + weight, 0)
  return backends.find(({ weight }) => (left -= weight) < 0)?.backend
}

function found(route: Route, path: string): RouteFound {
  return route.target === undefined ? foundByRule(route, path) : foundByTarget(route, route.target, path)
}

function foundByRule({ path: matched, backend, rewrite, redirectsToTls, isExact }: Route, path: string): RouteFound {
  if (rewrite === undefined) return { backend, path, redirectsToTls }
  const rest = isExact ? "" : path.slice(matched.replace(/\/+$/, "").length)
  return { backend, path: `${rewrite.replace(/\/+$/, "")}${rest}` || "/", redirectsToTls }
}

/** A resource other than a Service is nobody's to serve here. */
function backendOf(backend: IngressBackend | undefined, namespace: string): Backend | undefined {
  const { name, port } = backend?.service ?? {}
  if (name === undefined || port === undefined) return undefined
  return {
    namespace,
    service: name,
    port: port.name === undefined || port.name === "" ? { number: port.number ?? 0 } : { name: port.name },
  }
}
