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

/** Where a request goes. */
export interface Backend {
  namespace: string
  service: string
  port: { name: string } | { number: number }
}

interface Route {
  host: string
  path: string
  isExact: boolean
  backend: Backend | undefined
  /** What stands in the place of the path that was matched. */
  rewrite: string | undefined
  redirectsToTls: boolean
}

/** What was found for a request. */
export interface RouteFound {
  backend: Backend | undefined
  /** What the backend is asked for. */
  path: string
  redirectsToTls: boolean
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

  constructor(ingresses: readonly Kept<Ingress>[]) {
    for (const ingress of ingresses) this.#add(ingress)
    // the longest path first, and of equals the exact one (Ingress, "multiple matches")
    for (const routes of this.#byHost.values())
      routes.sort((one, other) => other.path.length - one.path.length || Number(other.isExact) - Number(one.isExact))
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
  find(host: string, path: string): RouteFound | undefined {
    const name = host.toLowerCase()
    const dot = name.indexOf(".")
    // a wildcard stands for one word
    const hosts = [name, ...(dot > 0 ? [`*${name.slice(dot)}`] : []), ""]
    for (const one of hosts) {
      const routes = this.#byHost.get(one)
      const route = routes?.find((candidate) => fits(candidate, path))
      if (route !== undefined) return found(route, path)
    }
    const [usual] = this.#usual
    return usual && found(usual, path)
  }
}

function fits({ path: wanted, isExact }: Route, path: string): boolean {
  if (isExact) return path === wanted
  const prefix = wanted.replace(/\/+$/, "")
  return path === prefix || path.startsWith(`${prefix}/`) || (prefix === "" && path.startsWith("/"))
}

function found({ path: matched, backend, rewrite, redirectsToTls, isExact }: Route, path: string): RouteFound {
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
