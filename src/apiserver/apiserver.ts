/**
 * Kubernetes' API by HTTPS, for kubectl, helm and client libraries: what kube/api answers in the process of a command, put on a socket.
 *
 *   kubectl ── TLS, a token ──▶ handle.ts ──▶ engine.kubeApi()
 *                  └─ exec, attach, port-forward: SPDY/3.1 or WebSocket ──▶ streams.ts ──▶ the engine's containers
 *
 * It holds nothing: objects are the store's, and who asks is known by a token each time. The owner's token and the certificate lie in a
 * directory that the owner alone reads. It may be killed at any moment.
 */
import { createServer } from "node:https"
import type { Socket } from "node:net"
import type { Engine } from "../engine/engine.ts"
import { madeCertificate } from "../sys/net/made-certificate.ts"
import { Callers } from "./callers.ts"
import { handle } from "./handle.ts"
import { writeKubeconfig } from "./kubeconfig.ts"
import { serveStream } from "./streams.ts"

/** Where it listens, and where it keeps what its callers need. */
export interface ApiServerOptions {
  hostname: string
  /** 0: any that is free. */
  port: number
  /** Of certificate and tokens; made with mode 0700. */
  directory: string
  /** Where the kubeconfig is written. */
  kubeconfig: string
}

/** One that listens. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string
}

/** Serves until it is disposed of. Throws NotFound without openssl, errno errors: EADDRINUSE, EACCES. */
export async function serveApi(engine: Engine, options: ApiServerOptions): Promise<ApiServer> {
  const [certificate, api, objects] = await Promise.all([
    madeCertificate(`${options.directory}/tls`),
    engine.kubeApi(),
    engine.kubeObjects(),
  ])
  const callers = new Callers(options.directory, objects)
  const sockets = new Set<Socket>()
  const server = createServer({ cert: certificate.cert, key: certificate.key, ALPNProtocols: ["http/1.1"] })
  server.on("request", (request, response) => void handle(api, callers, request, response))
  server.on(
    "upgrade",
    (request, socket, head) => void serveStream({ engine, api, callers }, request, socket as Socket, head),
  )
  server.on("secureConnection", (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  // a watch may say nothing for an hour
  server.requestTimeout = 0
  server.headersTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port, options.hostname, () => {
      server.off("error", reject)
      resolve()
    })
  })
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : options.port
  const host = options.hostname.includes(":") ? `[${options.hostname}]` : options.hostname
  const url = `https://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}`
  writeKubeconfig(options.kubeconfig, { url, authority: certificate.authority, token: callers.ownerToken })
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
