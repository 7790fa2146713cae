import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Places } from "../kube/kube.ts"
import { createServer, type Server as TlsServer, type TLSSocket } from "node:tls"

/** What is behind all doors. */
export interface DoorOptions {
  /** PEM. Who brings a certificate of this authority is known by it. */
  pair: { cert: string; key: string; authority: string }
  onRequest(request: IncomingMessage, response: ServerResponse): void
  onUpgrade(request: IncomingMessage, socket: Socket, head: Uint8Array): void
  /** At once: of all callers, of one address. */
  connections?: { all: number; ofOne: number }
}

const HEADERS_MS = 10_000
const HANDSHAKE_MS = 10_000
/** Connections at once, those that stream and watch among them: of all callers, of one address. Who is one too many is cut. */
const USUAL_CONNECTIONS = { all: 4096, ofOne: 1024 }

/**
 * One HTTP server behind any number of places where TLS is listened for. The TLS is taken off here, and the HTTP server is given the connections: the
 * runtime's own server of both does not say which certificate a caller has brought.
 */
export class Doors implements AsyncDisposable {
  readonly #http: Server
  readonly #pair: DoorOptions["pair"]
  readonly #servers: TlsServer[] = []
  readonly #sockets = new Set<TLSSocket>()

  readonly #places: Places

  constructor({ pair, onRequest, onUpgrade, connections = USUAL_CONNECTIONS }: DoorOptions) {
    this.#places = new Places(connections.all, connections.ofOne)
    this.#pair = pair
    this.#http = createHttp(onRequest)
    this.#http.on("upgrade", (request, socket, head) => onUpgrade(request, socket as Socket, head))
    // a watch may say nothing for an hour
    this.#http.requestTimeout = 0
    this.#http.headersTimeout = HEADERS_MS
  }

  /** Listens; gives the port. Throws errno errors. */
  async open(place: { host: string; port: number } | { path: string }): Promise<number> {
    const { cert, key, authority } = this.#pair
    const server = createServer(
      {
        cert,
        key,
        ca: authority,
        requestCert: true,
        // most have none, and bring a token; whose it is not is looked at by who asks
        rejectUnauthorized: false,
        minVersion: "TLSv1.2",
        ALPNProtocols: ["http/1.1"],
        handshakeTimeout: HANDSHAKE_MS,
      },
      (socket) => {
        this.#sockets.add(socket)
        socket.once("close", () => this.#sockets.delete(socket))
        socket.on("error", () => socket.destroy())
        this.#http.emit("connection", socket)
      },
    )
    server.on("tlsClientError", () => {})
    // before the handshake: it is what costs
    server.on("connection", (socket: Socket) => {
      const leave = this.#places.take(socket.remoteAddress)
      if (leave === undefined) socket.destroy()
      else socket.once("close", leave)
    })
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(place, () => {
        server.off("error", reject)
        resolve()
      })
    })
    this.#servers.push(server)
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map((server) => new Promise<void>((done) => server.close(() => done()))))
    this.#http.close()
  }
}
