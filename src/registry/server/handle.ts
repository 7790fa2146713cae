/** One request of a registry's client, answered. */
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { emptyAnswer, errorAnswer, jsonAnswer, RegistryError } from "./answers.ts"
import type { Access, Action } from "./access.ts"
import { deleteBlob, getBlob } from "./blobs.ts"
import { getCatalog, getTags } from "./lists.ts"
import { METRICS_TYPE } from "./metrics.ts"
import type { Observer } from "./observer.ts"
import { routeOf, type Route } from "./route.ts"
import type { RegistryStore, RegistryWrites } from "./server.ts"
import { appendUpload, cancelUpload, finishUpload, startUpload, uploadStatus } from "./uploads.ts"

/** What requests are answered from. */
export interface HandlerDeps {
  store: RegistryStore
  access: Access
  /** Told of each request. */
  observers?: readonly Observer[]
  /** What is said at `/metrics`; absent: there is no such thing. */
  metrics?: () => string
}

/** By this, clients of before the specification know a registry. */
const VERSION_HEADER = ["Docker-Distribution-Api-Version", "registry/2.0"] as const
/** Where a client gets a token. */
export const TOKEN_PATH = "/token"
const METRICS_PATH = "/metrics"

const READS = new Set(["GET", "HEAD"])
/** Nobody hears it any more. */
const CLIENT_GONE = 499

/** Never throws. `peer`: the caller's address. */
export async function handle(deps: HandlerDeps, request: Request, peer?: () => string | undefined): Promise<Response> {
  const { observers = [] } = deps
  const startedAt = observers.length === 0 ? 0 : performance.now()
  for (const observer of observers) observer.began?.()
  const seen: Seen = {}
  const answer = await answerOf(deps, request, seen).catch((error: unknown) =>
    request.signal.aborted ? emptyAnswer(CLIENT_GONE) : errorOf(error),
  )
  answer.headers.set(...VERSION_HEADER)
  if (observers.length === 0) return answer
  const { route, user } = seen
  const exchange = { request, route, user, answer, durationMs: performance.now() - startedAt, peer: peer?.() }
  for (const observer of observers) observer.ended(exchange)
  return answer
}

/** What was found out about a request until it was answered. */
interface Seen {
  route?: Route
  user?: string | undefined
}

async function answerOf(deps: HandlerDeps, request: Request, seen: Seen): Promise<Response> {
  // of the client's Host header, which may be anything
  if (!URL.canParse(request.url)) return emptyAnswer(400)
  const url = new URL(request.url)
  if (url.pathname === TOKEN_PATH && deps.access.token !== undefined) return deps.access.token(request)
  if (url.pathname === METRICS_PATH && deps.metrics !== undefined) {
    await deps.access.check(request, { action: "list" })
    return new Response(deps.metrics(), { headers: { "Content-Type": METRICS_TYPE } })
  }
  if (url.pathname === "/" && READS.has(request.method)) {
    const { answerPage, wantsPage } = await import("./page/page.ts")
    if (wantsPage(request)) return answerPage(deps, request, url)
  }
  const route = routeOf(url.pathname)
  if (route === undefined) return emptyAnswer(404)
  seen.route = route
  seen.user = await deps.access.check(request, scopeOf(route, request.method))
  return READS.has(request.method) ? read(deps, request, url, route) : write(deps, request, url, route)
}

/** What the caller must be allowed to. */
function scopeOf(route: Route, method: string): { repository?: string; action: Action } {
  const action = READS.has(method) && route.kind !== "upload" ? "pull" : method === "DELETE" ? "delete" : "push"
  if (route.kind === "base") return { action: "pull" }
  if (route.kind === "catalog") return { action: "list" }
  // who began an upload may end it
  return { repository: route.repository, action: route.kind === "upload" ? "push" : action }
}

async function read(deps: HandlerDeps, request: Request, url: URL, route: Route): Promise<Response> {
  const { store, access } = deps
  switch (route.kind) {
    case "base":
      return jsonAnswer({})
    case "catalog":
      return getCatalog(store, url, (repository) => access.allows(request, { repository, action: "pull" }))
    case "blob":
      return getBlob({ store, request, ...route })
    case "manifest":
      return (await manifests()).getManifest({ store, request, url, ...route })
    case "tags":
      return getTags(store, url, route.repository)
    case "referrers":
      return (await manifests()).getReferrers(store, url, route)
    case "upload":
      return uploadStatus(uploadRequest(deps, request, url, route.repository), route.id)
    case "uploads":
      throw unsupported(request.method)
  }
}

async function write(deps: HandlerDeps, request: Request, url: URL, route: Route): Promise<Response> {
  const { store } = deps
  const key = `${request.method} ${route.kind}`
  const writes = mustWrite(store, request.method)
  if (key === "DELETE blob" && route.kind === "blob") return deleteBlob({ store, request, ...route })
  if (route.kind === "manifest") {
    if (request.method === "PUT") return (await manifests()).putManifest({ store, writes, request, url, ...route })
    if (request.method === "DELETE")
      return (await manifests()).deleteManifest({ store, writes, request, url, ...route })
  }
  // before any of it is read
  if (route.kind === "upload" || route.kind === "uploads")
    await writes.mustHaveRoom?.(route.repository, lengthOf(request))
  if (route.kind === "uploads" && request.method === "POST")
    return startUpload(uploadRequest(deps, request, url, route.repository))
  if (route.kind === "upload") {
    const given = uploadRequest(deps, request, url, route.repository)
    if (request.method === "PATCH") return appendUpload(given, route.id)
    if (request.method === "PUT") return finishUpload(given, route.id)
    if (request.method === "DELETE") return cancelUpload(given, route.id)
  }
  throw unsupported(request.method)
}

/** Loaded for the first one: to read a manifest takes more code than all else, and no start waits for it. */
const manifests = () => import("./manifests.ts")

function lengthOf(request: Request): number {
  const length = Number(request.headers.get("Content-Length") ?? 0)
  return request.method !== "DELETE" && Number.isSafeInteger(length) ? length : 0
}

function uploadRequest({ store, access, observers }: HandlerDeps, request: Request, url: URL, repository: string) {
  return {
    writes: mustWrite(store, request.method),
    request,
    url,
    repository,
    received: (bytes: number) => observers?.forEach((observer) => observer.received?.(bytes)),
    mayRead: (from: string) => access.allows(request, { repository: from, action: "pull" }),
  }
}

function mustWrite({ writes }: RegistryStore, method: string): RegistryWrites {
  if (writes === undefined)
    throw new RegistryError("UNSUPPORTED", "this registry only serves what is there: nothing can be changed by it", {
      method,
    })
  return writes
}

function unsupported(method: string): RegistryError {
  return new RegistryError("UNSUPPORTED", "the operation is unsupported", { method })
}

/** A client is told its own mistakes; ours are told to who runs the server. */
function errorOf(error: unknown): Response {
  if (error instanceof RegistryError) return errorAnswer(error)
  if (isSkiffError(error, "Unavailable")) {
    log.warn("a request could not be answered", { reason: error.message })
    return errorAnswer(new RegistryError("UNAVAILABLE", error.message, undefined, { "Retry-After": "1" }))
  }
  log.error("a request failed", { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  return errorAnswer(new RegistryError("UNKNOWN", "the server failed; its log says why"))
}
