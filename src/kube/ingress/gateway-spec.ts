/** What of the Gateway API's objects is read here (gateway.networking.k8s.io/v1). Whoever wrote them may have written anything. */
import type { StoredObject } from "../objects/objects.ts"

export interface GatewaySpec {
  gatewayClassName?: string
  listeners?: readonly Listener[]
}

export interface Listener {
  name?: string
  hostname?: string
  port?: number
  protocol?: string
  tls?: { mode?: string; certificateRefs?: readonly ObjectRef[] }
  allowedRoutes?: {
    namespaces?: { from?: string; selector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown } }
    kinds?: readonly { kind?: string }[]
  }
}

export interface ObjectRef {
  group?: string
  kind?: string
  namespace?: string
  name?: string
}

export interface ParentRef extends ObjectRef {
  sectionName?: string
  port?: number
}

export interface RouteSpec {
  parentRefs?: readonly ParentRef[]
  hostnames?: readonly string[]
  rules?: readonly RouteRule[]
}

export interface RouteRule {
  matches?: readonly RouteMatch[]
  filters?: readonly RouteFilter[]
  backendRefs?: readonly BackendRef[]
}

export interface BackendRef extends ObjectRef {
  port?: number
  weight?: number
  filters?: readonly unknown[]
}

export interface RouteMatch {
  path?: { type?: string; value?: string }
  method?: string
  headers?: readonly { type?: string; name?: string; value?: string }[]
  queryParams?: readonly { type?: string; name?: string; value?: string }[]
}

export interface PathModifier {
  type?: string
  replaceFullPath?: string
  replacePrefixMatch?: string
}

export interface HeaderModifier {
  set?: readonly { name?: string; value?: string }[]
  add?: readonly { name?: string; value?: string }[]
  remove?: readonly string[]
}

export interface RouteFilter {
  type?: string
  urlRewrite?: { hostname?: string; path?: PathModifier }
  requestRedirect?: { scheme?: string; hostname?: string; port?: number; statusCode?: number; path?: PathModifier }
  requestHeaderModifier?: HeaderModifier
  responseHeaderModifier?: HeaderModifier
}

export const specOf = <T>(object: StoredObject): T => (object["spec"] ?? {}) as T
