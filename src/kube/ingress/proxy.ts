/** Passes requests on to backends: HTTP/1.1 and HTTP/2 from callers, HTTP/1.1 or HTTP/2 without TLS to backends, WebSockets as they are. */
import http, { type IncomingMessage, type ServerResponse } from "node:http"
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2"
import net from "node:net"
import type { Duplex } from "node:stream"
import { log } from "../../base/log.ts"
import type { VirtualEndpoint } from "../../network/network.ts"
import type { Upstream } from "./backends.ts"
import { H2cSessions } from "./h2c-sessions.ts"
import {
  forwardedHeaders,
  hostOf,
  passedOn,
  redirectLocation,
  Refused,
  targetOf,
  withChanges,
  type Headers,
} from "./request-head.ts"
import type { Backend, HeaderChanges, RequestFacts, RouteFound } from "./routes.ts"
import { Places, USUAL_LIMITS, type IngressLimits } from "./limits.ts"
import { tunnel } from "./tunnel.ts"

/** Who is tried when one does not answer the call at all. */
const MOST_TRIES = 3
const CONNECT_MS = 3_000
const NO_BODY = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"])
const TO_HTTPS = 308

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** What the proxy asks for each request. */
export interface ProxyRules {
  find(host: string, path: string, request: RequestFacts): RouteFound | undefined
  upstream(backend: Backend): Upstream | undefined
  /** Where callers with TLS are heard; undefined: nowhere. */
  tlsPort(): number | undefined
}

/** On which of our ports it came. */
export interface Arrival {
  isTls: boolean
  port: number
}

/** One for all ports. */
export class Proxy {
  readonly #rules: ProxyRules
  readonly #limits: IngressLimits
  readonly #sessions = new H2cSessions()
  readonly #places: Places

  constructor(rules: ProxyRules, limits: IngressLimits = USUAL_LIMITS) {
    this.#rules = rules
    this.#limits = limits
    this.#places = new Places(limits.requests, limits.requestsOfOne)
  }

  /** Requests and WebSockets that are under way. */
  get open(): number {
    return this.#places.taken
  }

  /** Never throws. */
  answer(request: Request, response: Response, arrival: Arrival): void {
    const release = this.#places.take(request.socket.remoteAddress)
    if (release === undefined) return refuse(request, response, tooMany())
    response.once("close", release)
    this.#pass(request, response, arrival).catch((error: unknown) => refuse(request, response, error))
  }

  /** A request to speak another protocol on this connection. Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): void {
    this.#tunnel(request, socket, head, arrival).catch((error: unknown) => {
      const status = error instanceof Refused ? error.status : 502
      socket.end(
        `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      )
    })
  }

  close(): void {
    this.#sessions.close()
  }

  async #pass(request: Request, response: Response, arrival: Arrival): Promise<void> {
    const { route, query, full } = this.#route(request)
    const tlsPort = this.#rules.tlsPort()
    if (route.redirectsToTls && !arrival.isTls && tlsPort !== undefined) {
      const host = full.replace(/:\d+$/, "") + (tlsPort === 443 ? "" : `:${tlsPort}`)
      writeHead(response, TO_HTTPS, { location: `https://${host}${route.path}${query}`, "content-length": "0" })
      response.end()
      return
    }
    if (route.redirect !== undefined) {
      const location = redirectLocation(route.redirect, { full, query, isTls: arrival.isTls })
      writeHead(
        response,
        route.redirect.status,
        withChanges({ location, "content-length": "0" }, route.responseHeaders),
      )
      response.end()
      return
    }
    const upstream = this.#upstream(route)
    const headers = {
      ...withChanges(passedOn(request.headers as Headers), route.requestHeaders),
      ...forwarded(request, full, arrival),
    }
    const call: Call = {
      method: request.method ?? "GET",
      path: `${route.path}${query}`,
      host: route.host ?? full,
      headers,
      responseHeaders: route.responseHeaders,
    }
    if (upstream.protocol === "h2c") return this.#passH2c(request, response, upstream, call)
    const isGone = goneOf(response)
    const endpoint = await reachable(upstream.endpoints, isGone)
    await passHttp1({ request, response, endpoint, call, limits: this.#limits })
  }

  async #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): Promise<void> {
    // any other protocol would let the caller speak to the backend past all rules
    if (request.headers.upgrade?.toLowerCase() !== "websocket")
      throw new Refused(501, "only WebSockets are upgraded to")
    const release = this.#places.take(request.socket.remoteAddress)
    if (release === undefined) throw tooMany()
    socket.once("close", release)
    const { route, query, full } = this.#route(request)
    const upstream = this.#upstream(route)
    const endpoint = await reachable(upstream.endpoints, () => socket.destroyed)
    tunnel(socket, head, endpoint, {
      method: request.method ?? "GET",
      path: `${route.path}${query}`,
      headers: {
        host: route.host ?? full,
        ...withChanges(passedOn(request.headers as Headers), route.requestHeaders),
        ...forwarded(request, full, arrival),
        connection: "Upgrade",
        upgrade: "websocket",
      },
    })
  }

  #route(request: Request): { route: RouteFound; query: string; full: string } {
    const authority = request.headers[":authority"]
    const { host, full } = hostOf(request.rawHeaders, typeof authority === "string" ? authority : undefined)
    const { path, query } = targetOf(request.url ?? "")
    const route = this.#rules.find(host, path, factsOf(request, query))
    if (route === undefined) throw new Refused(404, "no rule has this host and path")
    return { route, query, full }
  }

  #upstream({ backend, isBroken = false }: RouteFound): Upstream {
    if (isBroken) throw new Refused(500, "the route names a backend that is not there")
    const upstream = backend && this.#rules.upstream(backend)
    if (upstream === undefined || upstream.endpoints.length === 0) throw new Refused(503, "nobody answers for it")
    return upstream
  }

  async #passH2c(request: Request, response: Response, { endpoints }: Upstream, call: Call): Promise<void> {
    const endpoint = await reachable(endpoints, goneOf(response))
    const stream = this.#sessions.of(endpoint).request({
      ":method": call.method,
      ":path": call.path,
      ":authority": call.host,
      ":scheme": "http",
      ...call.headers,
      te: "trailers",
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const trailers = new Promise<Record<string, string | string[]>>((done) => {
      stream.once("trailers", (found) => done(passedOn(found as Headers)))
      stream.once("close", () => done({}))
    })
    const unwatch = watchTaking(response, this.#limits)
    stream.setTimeout(this.#limits.silentMs, () => stream.close(http2.constants.NGHTTP2_CANCEL))
    stream.once("error", reject)
    stream.once("response", (head) => {
      const status = Number(head[":status"] ?? 502)
      const passed = withChanges(passedOn(head as Headers), call.responseHeaders)
      writeHead(response, status, passed)
      stream.pipe(response as ServerResponse, { end: false })
      stream.once("end", () => {
        void trailers.then((found) => {
          ;(response as ServerResponse).addTrailers(found as Record<string, string>)
          response.end()
        })
      })
      stream.once("close", resolve)
    })
    response.once("close", () => stream.close(http2.constants.NGHTTP2_CANCEL))
    request.pipe(stream)
    await promise.finally(unwatch)
  }
}

const tooMany = (): Refused => new Refused(503, "too many requests at once")

/** Whether the caller has taken his request back: nothing more is done for him. */
function goneOf(response: Response): () => boolean {
  let isGone = (response as ServerResponse).destroyed
  response.once("close", () => (isGone = true))
  return () => isGone
}

/** Cuts a caller who takes nothing of an answer that waits for him. Gives what ends the watch. */
function watchTaking(response: Response, { bodyMs }: IngressLimits): () => void {
  const own = response as ServerResponse
  let waits = false
  own.on("drain", () => (waits = false))
  const timer = setInterval(() => {
    if (waits && own.writableNeedDrain) cut(response)
    waits = own.writableNeedDrain
  }, bodyMs)
  const end = (): void => clearInterval(timer)
  own.once("close", end)
  return end
}

/** Ends a request of which nothing, or next to nothing, comes before it is whole. Gives what ends the watch. */
function watchBody(
  { request, response, limits }: Passing,
  upstream: http.ClientRequest,
  onSlow: () => void,
): () => void {
  let bytes = 0
  request.on("data", (chunk: Buffer) => (bytes += chunk.length))
  const timer = setInterval(() => {
    // one that takes nothing is the backend's doing, and one that answers already may want no more
    const isOwn = !upstream.writableNeedDrain && !response.headersSent
    if (isOwn && bytes < limits.bodyBytes) onSlow()
    bytes = 0
  }, limits.bodyMs)
  const end = (): void => clearInterval(timer)
  request.once("end", end)
  response.once("close", end)
  return end
}

/** Half an answer must not look like a whole one. */
function cut(response: Response): void {
  if ("stream" in response) response.stream.close(http2.constants.NGHTTP2_CANCEL)
  else response.socket?.destroy()
}

interface Call {
  method: string
  path: string
  host: string
  headers: Record<string, string | string[]>
  responseHeaders: HeaderChanges | undefined
}

/** What rules may ask of a request; the question is read when they do. */
function factsOf(request: Request, query: string): RequestFacts {
  let parameters: URLSearchParams | undefined
  return {
    method: request.method ?? "GET",
    header(name) {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(", ") : value
    },
    query: (name) => (parameters ??= new URLSearchParams(query)).get(name) ?? undefined,
  }
}

function forwarded(request: Request, host: string, { isTls, port }: Arrival): Record<string, string> {
  const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "")
  return forwardedHeaders({ client, host, isTls, port })
}

/** The first of the endpoints that takes a call: nothing of the request is sent before, so nothing is lost or done twice. */
async function reachable(endpoints: readonly VirtualEndpoint[], isGone: () => boolean): Promise<VirtualEndpoint> {
  for (const endpoint of endpoints.slice(0, MOST_TRIES)) {
    if (isGone()) break
    if ((await answers(endpoint)) && !isGone()) return endpoint
  }
  if (isGone()) throw new Refused(499, "the caller has gone")
  throw new Refused(502, "no endpoint takes the call")
}

function answers({ address, port }: VirtualEndpoint): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = net.connect({ host: address, port })
  socket.setTimeout(CONNECT_MS, () => resolve(false))
  socket.once("connect", () => resolve(true))
  socket.once("error", () => resolve(false))
  return promise.finally(() => socket.destroy())
}

interface Passing {
  request: Request
  response: Response
  endpoint: VirtualEndpoint
  call: Call
  limits: IngressLimits
}

async function passHttp1(passing: Passing): Promise<void> {
  const { request, response, endpoint, call, limits } = passing
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // of GET and its like the library would send the body without saying where it ends: as the next request
  const isChunked =
    request.headers["transfer-encoding"] !== undefined && request.headers["content-length"] === undefined
  const upstream = http.request({
    host: endpoint.address,
    port: endpoint.port,
    method: call.method,
    path: call.path,
    headers: { ...call.headers, host: call.host, ...(isChunked && { "transfer-encoding": "chunked" }) },
    // one connection a request: one that was kept could end at this very moment
    agent: false,
    setHost: false,
    timeout: limits.silentMs,
  })
  upstream.once("timeout", () => upstream.destroy(new Refused(504, "the backend was silent")))
  upstream.once("error", reject)
  upstream.once("response", (answer) => {
    writeHead(
      response,
      answer.statusCode ?? 502,
      withChanges(passedOn(answer.headers as Headers), call.responseHeaders),
    )
    answer.once("error", reject)
    answer.once("end", resolve)
    answer.pipe(response)
  })
  response.once("close", () => {
    upstream.destroy()
    resolve()
  })
  if (
    NO_BODY.has(call.method) &&
    request.headers["content-length"] === undefined &&
    request.headers["transfer-encoding"] === undefined
  )
    upstream.end()
  else {
    request.pipe(upstream)
    watchBody(passing, upstream, () => upstream.destroy(new Refused(408, "the body comes too slowly")))
  }
  await promise.finally(watchTaking(response, limits))
}

function writeHead(response: Response, status: number, headers: Record<string, string | string[]>): void {
  // of the two kinds of responses, each has it
  ;(response as ServerResponse).writeHead(status, headers)
}

function refuse(request: Request, response: Response, error: unknown): void {
  if (!(error instanceof Refused)) log.debug("a request could not be passed on", { reason: String(error) })
  const status = error instanceof Refused ? error.status : 502
  try {
    if (response.headersSent) {
      cut(response)
      return
    }
    const text = `${status} ${http.STATUS_CODES[status] ?? ""}\n`
    writeHead(response, status, {
      "content-type": "text/plain",
      "content-length": `${text.length}`,
      // what is left of the body is nobody's request
      ...(request.httpVersionMajor === 1 && { connection: "close" }),
    })
    response.end(request.method === "HEAD" ? "" : text)
  } catch {
    // the caller has gone
  }
}
