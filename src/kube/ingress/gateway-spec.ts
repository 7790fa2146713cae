/** What of the Gateway API's objects is read here (gateway.networking.k8s.io/v1). Whoever wrote them may have written anything. */
import type { StoredObject } from "../objects/objects.ts"

/** Of a Gateway. */
export interface GatewaySpec {
  gatewayClassName?: string
  listeners?: readonly Listener[]
}

/** One port of a Gateway, for one host name, and which routes may be attached to it. */
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

/** Names an object; what is not said is the kind that the field is for, and the namespace of the object that names it. */
export interface ObjectRef {
  group?: string
  kind?: string
  namespace?: string
  name?: string
}

/** A Gateway that a route is to be attached to, or one listener of it. */
export interface ParentRef extends ObjectRef {
  sectionName?: string
  port?: number
}

/** Of an HTTPRoute. */
export interface RouteSpec {
  parentRefs?: readonly ParentRef[]
  hostnames?: readonly string[]
  rules?: readonly RouteRule[]
}

/** Requests that fit any of `matches` go to `backendRefs`, by their weights. */
export interface RouteRule {
  matches?: readonly RouteMatch[]
  filters?: readonly RouteFilter[]
  backendRefs?: readonly BackendRef[]
}

/** A Service and its port, with its share of the requests (1 where nothing is said). */
export interface BackendRef extends ObjectRef {
  port?: number
  weight?: number
  filters?: readonly unknown[]
}

/** What a request must have, all of it. */
export interface RouteMatch {
  path?: { type?: string; value?: string }
  method?: string
  headers?: readonly { type?: string; name?: string; value?: string }[]
  queryParams?: readonly { type?: string; name?: string; value?: string }[]
}

/** What becomes of a path. */
export interface PathModifier {
  type?: string
  replaceFullPath?: string
  replacePrefixMatch?: string
}

/** What becomes of a head. */
export interface HeaderModifier {
  set?: readonly { name?: string; value?: string }[]
  add?: readonly { name?: string; value?: string }[]
  remove?: readonly string[]
}

/** One change of a request or its answer. */
export interface RouteFilter {
  type?: string
  urlRewrite?: { hostname?: string; path?: PathModifier }
  requestRedirect?: { scheme?: string; hostname?: string; port?: number; statusCode?: number; path?: PathModifier }
  requestHeaderModifier?: HeaderModifier
  responseHeaderModifier?: HeaderModifier
}

/** The spec of an object, unchecked; empty where it has none. */
export const specOf = <T>(object: StoredObject): T => (object["spec"] ?? {}) as T
