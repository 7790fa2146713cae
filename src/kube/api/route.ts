import { apiVersionOf, type ResourceKind } from "../objects/kinds.ts"
import { badRequest, noSuchResource } from "./status.ts"

/** What a path names. */
export type Route =
  | { type: "resource"; target: Target }
  /** `/api`, `/apis/apps/v1`: what there is. */
  | { type: "groups"; path: readonly string[] }
  | { type: "openapi"; path: readonly string[] }
  | { type: "version" | "health" }

/** An object, or all of a kind. */
export interface Target {
  kind: ResourceKind
  /** Asked for: one of those that the kind is served in. */
  version: string
  /** Undefined: of all namespaces, or of a kind that has none. */
  namespace?: string
  name?: string
  subresource?: string
}

/** Reads a path. `kinds`: all that are served. Throws NotFound for what is none of the API's. */
export function parseRoute(path: string, kinds: () => readonly ResourceKind[]): Route {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(unescaped)
  const [first = ""] = parts
  if (first === "version" && parts.length === 1) return { type: "version" }
  if (["healthz", "livez", "readyz"].includes(first)) return { type: "health" }
  if (first === "openapi") return { type: "openapi", path: parts.slice(1) }
  if (first !== "api" && first !== "apis") throw noSuchResource()
  const depth = first === "api" ? 2 : 3
  if (parts.length <= depth) return { type: "groups", path: parts }
  const [group = "", version = ""] = first === "api" ? ["", parts[1]] : [parts[1], parts[2]]
  return { type: "resource", target: parseTarget(group, version, parts.slice(depth), kinds()) }
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw Object.assign(badRequest(`"${part}" is no part of a path`), { cause })
  }
}

function parseTarget(group: string, version: string, parts: readonly string[], kinds: readonly ResourceKind[]): Target {
  const find = (plural: string): ResourceKind | undefined =>
    kinds.find((kind) => kind.group === group && kind.plural === plural && serves(kind, version))
  const [head = "", second, ...rest] = parts
  if (head === "namespaces" && second !== undefined && rest[0] !== undefined && group === "" && isPartOf(rest[0]))
    return { kind: find("namespaces") ?? fail(), version, name: second, ...subresource(rest[0]) }
  if (head === "namespaces" && second !== undefined && rest[0] !== undefined) {
    const kind = find(rest[0])
    if (kind === undefined || !kind.namespaced) throw noSuchResource()
    return { kind, version, namespace: second, ...named(rest.slice(1)) }
  }
  const kind = find(head)
  if (kind === undefined) throw noSuchResource()
  if (kind.namespaced && second !== undefined) throw noSuchResource()
  return { kind, version, ...named(parts.slice(1)) }
}

function fail(): never {
  throw noSuchResource()
}

/** Of a namespace itself: what is in it is never called so. */
function isPartOf(word: string): boolean {
  return word === "status" || word === "finalize"
}

function named([name, ...parts]: readonly string[]): { name?: string; subresource?: string } {
  if (name === undefined) return {}
  return { name, ...(parts.length > 0 && subresource(parts.join("/"))) }
}

function subresource(name: string): { subresource: string } {
  return { subresource: name }
}

function serves(kind: ResourceKind, version: string): boolean {
  return kind.version === version || (kind.otherVersions?.includes(version) ?? false)
}

/** Where its objects are: `/apis/apps/v1/namespaces/default/deployments`. */
export function resourcePath(kind: ResourceKind, namespace?: string, name?: string, part?: string): string {
  const root = kind.group === "" ? "/api" : "/apis"
  const place = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ""
  const end = name === undefined ? "" : `/${encodeURIComponent(name)}`
  return `${root}/${apiVersionOf(kind)}${place}/${kind.plural}${end}${part === undefined ? "" : `/${part}`}`
}
