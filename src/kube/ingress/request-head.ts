/** What of a request's head is passed on, and what is refused. Pure. */
import type { HeaderChanges, RouteFound } from "./routes.ts"

/** Of one connection alone (RFC 9110, section 7.6.1), and what a proxy has its own word for. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  // said by us of the caller, and by nobody else
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
])

/** As parsers give them: names in lower case. */
export type Headers = Record<string, string | readonly string[] | undefined>

/** Why a request is not passed on. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Path and question of a request's target. Throws Refused. */
export function targetOf(target: string): { path: string; query: string } {
  // a proxy is asked with a whole address: it is the host's field that counts (RFC 9112, section 3.2.2)
  const [, absolute] = /^https?:\/\/[^/?#]*(.*)$/i.exec(target) ?? []
  const own = absolute === undefined ? target : absolute === "" || absolute.startsWith("?") ? `/${absolute}` : absolute
  if (!own.startsWith("/") || /[\s#\\]/.test(own)) throw new Refused(400, "the target is no path")
  const at = own.indexOf("?")
  const [path, query] = at === -1 ? [own, ""] : [own.slice(0, at), own.slice(at)]
  // what a rule was compared with must be what the backend sees: no way up, in whatever letters
  if (path.split(/\/|%2f|%5c/i).some((part) => /^(?:\.|%2e){1,2}$/i.test(part)))
    throw new Refused(400, "the path leads upwards")
  return { path, query }
}

/** The host that is asked for, without a port. Throws Refused where there is none, or two. */
export function hostOf(rawHeaders: readonly string[], authority: string | undefined): { host: string; full: string } {
  const named = rawHeaders.flatMap((word, index) =>
    index % 2 === 0 && word.toLowerCase() === "host" ? [rawHeaders[index + 1] ?? ""] : [],
  )
  const full = authority ?? named[0]
  if (
    full === undefined ||
    named.length > 1 ||
    (authority !== undefined && named.length === 1 && named[0] !== authority)
  )
    throw new Refused(400, "a request names one host")
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i.exec(full) ?? []
  if (name === undefined) throw new Refused(400, "the host is no name")
  return { host: name.toLowerCase().replace(/\.$/, ""), full }
}

/** Fields that go on; those that the connection names stay. */
export function passedOn(headers: Headers): Record<string, string | string[]> {
  const named = new Set(`${headers["connection"] ?? ""}`.split(",").map((word) => word.trim().toLowerCase()))
  // how long a body is belongs to the request: without it what the body holds would be the next one
  named.delete("content-length")
  const passed: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || HOP_BY_HOP.has(name) || named.has(name)) continue
    // HTTP/2 may cut a cookie into crumbs (RFC 9113, section 8.2.3)
    passed[name] = typeof value === "string" ? value : name === "cookie" ? value.join("; ") : [...value]
  }
  return passed
}

/** As a route changes them; what belongs to a connection, or is ours to say, is nobody's to change. */
export function withChanges(
  headers: Record<string, string | string[]>,
  changes: HeaderChanges | undefined,
): Record<string, string | string[]> {
  if (changes === undefined) return headers
  const changed = { ...headers }
  for (const [name, value] of changes.set) if (isFree(name)) changed[name] = value
  for (const [name, value] of changes.add)
    if (isFree(name)) changed[name] = name in changed ? [changed[name] ?? [], value].flat() : value
  for (const name of changes.remove) if (isFree(name)) delete changed[name]
  return changed
}

const isFree = (name: string): boolean => !HOP_BY_HOP.has(name) && name !== "host" && name !== "content-length"

/** Where a redirect leads. Without a word of it scheme, host and port are what was asked for. */
export function redirectLocation(
  { scheme, host, port, path }: NonNullable<RouteFound["redirect"]>,
  { full, query, isTls }: { full: string; query: string; isTls: boolean },
): string {
  const [, name = "", asked] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(full) ?? []
  const to = scheme ?? (isTls ? "https" : "http")
  const usual = to === "https" ? 443 : 80
  // a scheme that is named has its own port (HTTPRequestRedirectFilter, port)
  const number = port ?? (scheme === undefined && asked !== undefined ? Number(asked) : usual)
  return `${to}://${host ?? name}${number === usual ? "" : `:${number}`}${path}${query}`
}

/** What we say of the caller. */
export function forwardedHeaders(input: {
  client: string
  host: string
  isTls: boolean
  port: number
}): Record<string, string> {
  return {
    "x-forwarded-for": input.client,
    "x-real-ip": input.client,
    "x-forwarded-host": input.host,
    "x-forwarded-port": `${input.port}`,
    "x-forwarded-proto": input.isTls ? "https" : "http",
  }
}
