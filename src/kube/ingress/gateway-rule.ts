/** One rule of an HTTPRoute as routes of ours; undefined: it wants what is not done here, and must lead nobody. Pure. */
import type { BackendRef, HeaderModifier, PathModifier, RouteFilter, RouteMatch, RouteRule } from "./gateway-spec.ts"
import type { Backend, HeaderChanges, PathChange, RequestMatch, RouteTarget, WeightedBackend } from "./routes.ts"

/** RFC 9110, section 5.6.2; what a value may hold in one line. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/i
const VALUE = /^[ -~]{0,4096}$/
const HOST = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const PATH = /^\/[!-~]*$/
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** A rule's own part of each of its routes. */
export interface RuleRoute {
  path: string
  isExact: boolean
  target: RouteTarget
}

/** What a backend that is named leads to; undefined: nobody, and who asks is told that it is our fault. */
export type BackendOf = (ref: BackendRef) => Backend | undefined

/** The routes of one rule, one a match; undefined: the rule asks for something that is not known, and is dropped. Pure. */
export function routesOfRule(rule: RouteRule, backendOf: BackendOf): RuleRoute[] | undefined {
  const effect = effectOf(rule.filters ?? [])
  if (effect === undefined) return undefined
  const backends = (rule.backendRefs ?? []).flatMap((ref): WeightedBackend[] => {
    const { weight = 1 } = ref
    // filters of a backend's own are none that we know
    return weight > 0 ? [{ backend: ref.filters === undefined ? backendOf(ref) : undefined, weight }] : []
  })
  const found: RuleRoute[] = []
  for (const match of rule.matches?.length ? rule.matches : [{}]) {
    const { type = "PathPrefix", value = "/" } = match.path ?? {}
    const request = requestMatch(match)
    if (request === undefined || !PATH.test(value) || (type !== "PathPrefix" && type !== "Exact")) return undefined
    found.push({ path: value, isExact: type === "Exact", target: { match: request, backends, ...effect } })
  }
  return found
}

/** Expressions are anybody's to write, and could be made to take for ever: they are not compared with. */
function requestMatch({ method, headers = [], queryParams = [] }: RouteMatch): RequestMatch | undefined {
  if (method !== undefined && !METHODS.has(method)) return undefined
  const pairs = [headers, queryParams].map((list) =>
    list.map(({ type = "Exact", name = "", value = "" }) =>
      type === "Exact" && name !== "" ? [name, value] : undefined,
    ),
  )
  if (pairs.flat().includes(undefined)) return undefined
  const [wanted = [], query = []] = pairs as [string, string][][]
  return {
    ...(method !== undefined && { method }),
    // of two of one name the first counts, as the specification has it
    headers: unique(wanted.map(([name, value]) => [name.toLowerCase(), value])),
    query: unique(query),
  }
}

function unique(pairs: readonly [string, string][]): [string, string][] {
  return [...new Map(pairs.toReversed())].toReversed()
}

type Effect = Pick<RouteTarget, "redirect" | "rewrite" | "requestHeaders" | "responseHeaders">

/** Undefined: one of the filters is not known, or says what cannot be. */
function effectOf(filters: readonly RouteFilter[]): Effect | undefined {
  const effect: Effect = {}
  for (const { type, urlRewrite, requestRedirect, requestHeaderModifier, responseHeaderModifier } of filters) {
    if (type === "URLRewrite" && urlRewrite !== undefined) {
      const path = pathChange(urlRewrite.path)
      if (path === false || !isHost(urlRewrite.hostname)) return undefined
      effect.rewrite = { ...(path && { path }), ...(urlRewrite.hostname && { host: urlRewrite.hostname }) }
    } else if (type === "RequestRedirect" && requestRedirect !== undefined) {
      const { scheme, hostname, port, statusCode: status = 302 } = requestRedirect
      const path = pathChange(requestRedirect.path)
      if (path === false || !isHost(hostname) || !REDIRECTS.has(status)) return undefined
      if (scheme !== undefined && scheme !== "http" && scheme !== "https") return undefined
      if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) return undefined
      effect.redirect = {
        status,
        ...(scheme && { scheme }),
        ...(hostname && { host: hostname }),
        ...(port && { port }),
        ...(path && { path }),
      }
    } else if (type === "RequestHeaderModifier" || type === "ResponseHeaderModifier") {
      const changes = headerChanges(type === "RequestHeaderModifier" ? requestHeaderModifier : responseHeaderModifier)
      if (changes === undefined) return undefined
      effect[type === "RequestHeaderModifier" ? "requestHeaders" : "responseHeaders"] = changes
    } else return undefined
  }
  // one of them would never be seen
  return effect.redirect !== undefined && effect.rewrite !== undefined ? undefined : effect
}

const isHost = (name: string | undefined): boolean => name === undefined || HOST.test(name)

const pairs = (list: HeaderModifier["set"] = []): [string, string][] =>
  list.map(({ name = "", value = "" }) => [name.toLowerCase(), value])

/** False: it is none. */
function pathChange(path: PathModifier | undefined): PathChange | undefined | false {
  if (path === undefined) return undefined
  const isFull = path.type === "ReplaceFullPath"
  const value = isFull ? path.replaceFullPath : path.type === "ReplacePrefixMatch" ? path.replacePrefixMatch : undefined
  if (value === undefined || (value !== "" && !PATH.test(value))) return false
  return { isFull, value: value === "" ? "/" : value }
}

function headerChanges(given: HeaderModifier | undefined): HeaderChanges | undefined {
  if (given === undefined) return undefined
  const [set, add] = [pairs(given.set), pairs(given.add)]
  const remove = (given.remove ?? []).map((name) => name.toLowerCase())
  const isGood =
    [...set, ...add].every(([name, value]) => NAME.test(name) && VALUE.test(value)) &&
    remove.every((name) => NAME.test(name))
  return isGood ? { set, add, remove } : undefined
}
