/** The ports on which callers are heard, with and without TLS. */
import http from "node:http"
import http2, {
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import tls, { type SecureContext } from "node:tls"
import { SkiffError, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { Connections } from "./connections.ts"
import { USUAL_LIMITS, type IngressLimits } from "./limits.ts"
import type { Arrival, Proxy } from "./proxy.ts"

/** A certificate with its key, in PEM. */
export interface KeyPair {
  cert: string
  key: string
}

const LARGEST_HEADERS_BYTES = 32 * 1024

type Request = http.IncomingMessage | Http2ServerRequest
type Response = http.ServerResponse | Http2ServerResponse

/** Listens on both ports, the second one only once there is a certificate. */
export class IngressServers {
  readonly #proxy: Proxy
  readonly #address: string
  readonly #limits: IngressLimits
  readonly #connections: Connections
  #plain: http.Server | undefined
  #secure: Http2SecureServer | undefined
  #contexts = new Map<string, SecureContext>()

  constructor(proxy: Proxy, address: string, limits: IngressLimits = USUAL_LIMITS) {
    this.#proxy = proxy
    this.#address = address
    this.#limits = limits
    this.#connections = new Connections(limits)
  }

  /** Throws Unavailable for a port that is another's. */
  async listen(port: number): Promise<void> {
    const arrival = { isTls: false, port }
    const server = http.createServer(
      {
        maxHeaderSize: LARGEST_HEADERS_BYTES,
        headersTimeout: this.#limits.headMs,
        keepAliveTimeout: this.#limits.idleMs,
      },
      (request, response) => this.#answer(request, response, arrival),
    )
    server.on("connection", (socket) => {
      if (this.#admit(socket)) this.#watch(socket)
    })
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head, arrival))
    await listening(server, port, this.#address)
    this.#plain = server
  }

  /** By host; of a wildcard by `*.example.org`. Other callers are turned away in the handshake. */
  async serveTls(pairs: ReadonlyMap<string, KeyPair>, port: number): Promise<void> {
    const whole = [...pairs].flatMap(([host, pair]) => {
      const context = contextOf(host, pair)
      return context === undefined ? [] : [{ host, pair, context }]
    })
    this.#contexts = new Map(whole.map(({ host, context }) => [host, context]))
    const usual = whole[0]?.pair
    if (this.#secure !== undefined || usual === undefined) return
    const arrival = { isTls: true, port }
    const server = http2.createSecureServer(
      {
        ...usual,
        allowHTTP1: true,
        minVersion: "TLSv1.2",
        handshakeTimeout: this.#limits.headMs,
        settings: { maxConcurrentStreams: this.#limits.streams },
        SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) => {
          const context = this.#contextOf(name)
          done(context === undefined ? new Error(`no certificate for "${name}"`) : null, context)
        },
      },
      (request, response) => this.#answer(request, response, arrival),
    )
    server.on("connection", (socket) => this.#admit(socket))
    server.on("secureConnection", (socket) => {
      if (socket.alpnProtocol !== "h2") this.#watch(socket)
    })
    server.on("session", (session) => this.#watchSession(session))
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head, arrival))
    // of one caller: he has it, and nobody else
    server.on("sessionError", () => {})
    server.on("tlsClientError", () => {})
    await listening(server, port, this.#address)
    this.#secure = server
  }

  get hasTls(): boolean {
    return this.#secure !== undefined
  }

  close(): void {
    this.#plain?.close()
    this.#plain?.closeAllConnections?.()
    this.#secure?.close()
  }

  /** Whether there is a place for one more connection; if not, it is cut. */
  #admit(socket: Socket): boolean {
    const release = this.#connections.take(socket.remoteAddress)
    if (release === undefined) {
      socket.destroy()
      return false
    }
    socket.once("close", release)
    return true
  }

  #watch(socket: Socket): void {
    this.#connections.watch(socket, () => socket.destroy())
    socket.once("close", () => this.#connections.forget(socket))
  }

  #watchSession(session: ServerHttp2Session): void {
    this.#connections.watch(session, () => {
      this.#connections.forget(session)
      session.destroy()
    })
    // each is to be answered, and costs who sends it next to nothing
    for (const event of ["ping", "remoteSettings"] as const)
      session.on(event, () => this.#connections.count(session, "signals"))
    session.once("close", () => this.#connections.forget(session))
  }

  #answer(request: Request, response: Response, arrival: Arrival): void {
    const end = this.#connections.begin(connectionOf(request))
    response.once("close", () => end(!isTakenBack(request, response)))
    this.#proxy.answer(request, response, arrival)
  }

  /** From then on it is the tunnel's, which has an end of its own. */
  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): void {
    this.#connections.forget(request.socket)
    this.#proxy.upgrade(request, socket, head, arrival)
  }

  #contextOf(name: string): SecureContext | undefined {
    const host = name.toLowerCase()
    return this.#contexts.get(host) ?? this.#contexts.get(`*${host.slice(host.indexOf("."))}`)
  }
}

/** Before he had the whole answer. */
function isTakenBack(request: Request, response: Response): boolean {
  if (!(response as http.ServerResponse).writableFinished) return true
  return "stream" in request && request.stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR
}

function connectionOf(request: Request): object {
  return ("stream" in request ? request.stream.session : undefined) ?? request.socket
}

/** Undefined: it is none. Whose Secret it is has no TLS; all others have. */
function contextOf(host: string, pair: KeyPair): SecureContext | undefined {
  try {
    return tls.createSecureContext(pair)
  } catch (error) {
    log.warn(`the certificate of "${host}" cannot be used`, { reason: String(error) })
    return undefined
  }
}

function listening(server: http.Server | Http2SecureServer, port: number, address: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once("error", (cause) => reject(portTaken(port, cause)))
  server.listen(port, address, () => resolve())
  return promise
}

function portTaken(port: number, cause: unknown): SkiffError {
  return new Unavailable(`port ${port} of Ingresses cannot be listened on: ${String((cause as Error).message)}`, {
    cause,
    hint: "end who has it (ss -ltnp), or name other ports in the ConfigMap kube-system/skiff-ingress: http, https",
  })
}
