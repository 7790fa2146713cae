/**
 * HTTPRoutes of the Gateway API (gateway.networking.k8s.io/v1) as Ingresses, as far as these can say it: hosts, paths, one backend, the prefix
 * exchanged, certificates of the Gateway's listeners. Rules that match by more (headers, methods, queries) are left out: they must not lead
 * whom they do not mean. Pure.
 */
import type { Ingress } from "kubernetes-types/networking/v1"
import type { Kept } from "../controllers/kept.ts"
import type { StoredObject } from "../objects/objects.ts"
import { INGRESS_CLASS, INGRESS_CONTROLLER } from "./routes.ts"

const REWRITE = "skiff.dev/rewrite-target"

interface GatewaySpec {
  gatewayClassName?: string
  listeners?: readonly { name?: string; hostname?: string; tls?: { certificateRefs?: readonly { name?: string }[] } }[]
}

interface RouteSpec {
  parentRefs?: readonly { kind?: string; namespace?: string; name?: string; sectionName?: string }[]
  hostnames?: readonly string[]
  rules?: readonly RouteRule[]
}

interface RouteRule {
  matches?: readonly {
    path?: { type?: string; value?: string }
    headers?: unknown
    method?: unknown
    queryParams?: unknown
  }[]
  filters?: readonly { type?: string; urlRewrite?: { path?: { type?: string; replacePrefixMatch?: string } } }[]
  backendRefs?: readonly {
    kind?: string
    group?: string
    namespace?: string
    name?: string
    port?: number
    weight?: number
  }[]
}

/** What is looked at. */
export interface GatewayObjects {
  classes: readonly StoredObject[]
  gateways: readonly StoredObject[]
  routes: readonly StoredObject[]
}

/** One for each rule, since each has a path of its own to exchange. */
export function ingressesOfRoutes({ classes, gateways, routes }: GatewayObjects): Kept<Ingress>[] {
  const controllers = new Map(
    classes.map((one) => [one.metadata.name, (one["spec"] as { controllerName?: string } | undefined)?.controllerName]),
  )
  const isOurs = (gateway: StoredObject): boolean => {
    const { gatewayClassName = "" } = (gateway["spec"] ?? {}) as GatewaySpec
    return controllers.has(gatewayClassName)
      ? controllers.get(gatewayClassName) === INGRESS_CONTROLLER
      : gatewayClassName === INGRESS_CLASS
  }
  const own = new Map(
    gateways.filter(isOurs).map((gateway) => [`${gateway.metadata.namespace}/${gateway.metadata.name}`, gateway]),
  )
  return routes.flatMap((route) => {
    const { parentRefs = [], hostnames = [], rules = [] } = (route["spec"] ?? {}) as RouteSpec
    const { namespace = "default" } = route.metadata
    // a Gateway of another namespace says itself whom it takes: those of its own alone
    const parents = parentRefs.flatMap((ref) =>
      (ref.kind ?? "Gateway") === "Gateway" && (ref.namespace ?? namespace) === namespace
        ? (own.get(`${namespace}/${ref.name}`) ?? [])
        : [],
    )
    if (parents.length === 0) return []
    const tls = parents.flatMap((gateway) => tlsOf(gateway, hostnames))
    return rules.flatMap((rule): Kept<Ingress>[] => ruleIngress(route, namespace, { rule, hostnames, tls }))
  })
}

function tlsOf(gateway: StoredObject, hostnames: readonly string[]): { hosts: string[]; secretName: string }[] {
  const { listeners = [] } = (gateway["spec"] ?? {}) as GatewaySpec
  return listeners.flatMap(({ hostname, tls }) => {
    const secretName = tls?.certificateRefs?.[0]?.name
    if (secretName === undefined) return []
    return [{ hosts: hostname === undefined ? [...hostnames] : [hostname], secretName }]
  })
}

function ruleIngress(
  route: StoredObject,
  namespace: string,
  given: { rule: RouteRule; hostnames: readonly string[]; tls: { hosts: string[]; secretName: string }[] },
): Kept<Ingress>[] {
  const { matches = [{}], filters = [], backendRefs = [] } = given.rule
  const rewrite = filters.find(({ type }) => type === "URLRewrite")?.urlRewrite?.path
  if (filters.some(({ type }) => type !== "URLRewrite") || (rewrite && rewrite.type !== "ReplacePrefixMatch")) return []
  const backend = backendRefs.find(
    ({ kind = "Service", group = "", weight = 1, namespace: of = namespace }) =>
      kind === "Service" && group === "" && weight > 0 && of === namespace,
  )
  const paths = matches.flatMap(({ path = {}, headers, method, queryParams }) => {
    const { type = "PathPrefix", value = "/" } = path
    if (headers !== undefined || method !== undefined || queryParams !== undefined) return []
    if (type !== "PathPrefix" && type !== "Exact") return []
    return [
      {
        path: value,
        pathType: type === "Exact" ? "Exact" : "Prefix",
        // one that is missing is nobody: 503
        backend: { service: { name: backend?.name ?? "", port: { number: backend?.port ?? 0 } } },
      },
    ]
  })
  if (paths.length === 0) return []
  const hosts = given.hostnames.length === 0 ? [undefined] : given.hostnames
  const replaced = rewrite?.replacePrefixMatch
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        ...route.metadata,
        annotations: replaced === undefined ? {} : { [REWRITE]: replaced === "" ? "/" : replaced },
      },
      spec: {
        ingressClassName: INGRESS_CLASS,
        rules: hosts.map((host) => Object.assign({ http: { paths } }, host !== undefined && { host })),
        tls: given.tls,
      },
    },
  ]
}
