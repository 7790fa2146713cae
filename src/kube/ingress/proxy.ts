/** Passes requests on to backends: HTTP/1.1 and HTTP/2 from callers, HTTP/1.1 or HTTP/2 without TLS to backends, WebSockets as they are. */
import http, { type IncomingMessage, type ServerResponse } from "node:http"
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2"
import net, { type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { log } from "../../base/log.ts"
import type { VirtualEndpoint } from "../../network/network.ts"
import type { Upstream } from "./backends.ts"
import { H2cSessions } from "./h2c-sessions.ts"
import { forwardedHeaders, hostOf, passedOn, Refused, targetOf, type Headers } from "./request-head.ts"
import type { Backend, RouteFound } from "./routes.ts"
import { tunnel } from "./tunnel.ts"

/** Who is tried when one does not answer the call at all. */
const MOST_TRIES = 3
const CONNECT_MS = 3_000
/** A backend that says nothing for so long has gone. */
const SILENT_MS = 300_000
/** Of all callers; who comes then is told to come later. */
const MOST_REQUESTS = 4_096
const NO_BODY = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"])
const TO_HTTPS = 308

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** What the proxy asks for each request. */
export interface ProxyRules {
  find(host: string, path: string): RouteFound | undefined
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
  readonly #sessions = new H2cSessions()
  #open = 0

  constructor(rules: ProxyRules) {
    this.#rules = rules
  }

  /** Never throws. */
  answer(request: Request, response: Response, arrival: Arrival): void {
    this.#open++
    response.once("close", () => this.#open--)
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
    if (this.#open > MOST_REQUESTS) throw new Refused(503, "too many requests at once")
    const { route, query, full } = this.#route(request)
    const tlsPort = this.#rules.tlsPort()
    if (route.redirectsToTls && !arrival.isTls && tlsPort !== undefined) {
      const host = full.replace(/:\d+$/, "") + (tlsPort === 443 ? "" : `:${tlsPort}`)
      writeHead(response, TO_HTTPS, { location: `https://${host}${route.path}${query}`, "content-length": "0" })
      response.end()
      return
    }
    const upstream = this.#upstream(route)
    const headers = { ...passedOn(request.headers as Headers), ...forwarded(request, full, arrival) }
    const call = { method: request.method ?? "GET", path: `${route.path}${query}`, host: full, headers }
    if (upstream.protocol === "h2c") return this.#passH2c(request, response, upstream, call)
    const endpoint = await reachable(upstream.endpoints)
    await passHttp1(request, response, endpoint, call)
  }

  async #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): Promise<void> {
    // any other protocol would let the caller speak to the backend past all rules
    if (request.headers.upgrade?.toLowerCase() !== "websocket")
      throw new Refused(501, "only WebSockets are upgraded to")
    if (this.#open > MOST_REQUESTS) throw new Refused(503, "too many requests at once")
    const { route, query, full } = this.#route(request)
    const upstream = this.#upstream(route)
    const endpoint = await reachable(upstream.endpoints)
    this.#open++
    socket.once("close", () => this.#open--)
    tunnel(socket, head, endpoint, {
      method: request.method ?? "GET",
      path: `${route.path}${query}`,
      headers: {
        host: full,
        ...passedOn(request.headers as Headers),
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
    const route = this.#rules.find(host, path)
    if (route === undefined) throw new Refused(404, "no rule has this host and path")
    return { route, query, full }
  }

  #upstream({ backend }: RouteFound): Upstream {
    const upstream = backend && this.#rules.upstream(backend)
    if (upstream === undefined || upstream.endpoints.length === 0) throw new Refused(503, "nobody answers for it")
    return upstream
  }

  async #passH2c(request: Request, response: Response, { endpoints }: Upstream, call: Call): Promise<void> {
    const endpoint = await reachable(endpoints)
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
    stream.setTimeout(SILENT_MS, () => stream.close(http2.constants.NGHTTP2_CANCEL))
    stream.once("error", reject)
    stream.once("response", (head) => {
      const status = Number(head[":status"] ?? 502)
      const passed = passedOn(head as Headers)
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
    await promise
  }
}

interface Call {
  method: string
  path: string
  host: string
  headers: Record<string, string | string[]>
}

function forwarded(request: Request, host: string, { isTls, port }: Arrival): Record<string, string> {
  const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "")
  return forwardedHeaders({ client, host, isTls, port })
}

/** The first of the endpoints that takes a call: nothing of the request is sent before, so nothing is lost or done twice. */
async function reachable(endpoints: readonly VirtualEndpoint[]): Promise<VirtualEndpoint> {
  for (const endpoint of endpoints.slice(0, MOST_TRIES)) if (await answers(endpoint)) return endpoint
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

async function passHttp1(request: Request, response: Response, endpoint: VirtualEndpoint, call: Call): Promise<void> {
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
    timeout: SILENT_MS,
  })
  upstream.once("timeout", () => upstream.destroy(new Refused(504, "the backend was silent")))
  upstream.once("error", reject)
  upstream.once("response", (answer) => {
    writeHead(response, answer.statusCode ?? 502, passedOn(answer.headers as Headers))
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
  else request.pipe(upstream)
  await promise
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
      // half an answer must not look like a whole one
      ;(response.socket as Socket | null)?.destroy()
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
