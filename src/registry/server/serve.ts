/** Listens, and answers until it is closed. */
import { hasErrno, InvalidArgument, Unavailable } from "../../base/errors.ts"
import { listenHttp, type HttpServer, type HttpServerOptions } from "../../sys/net/http-server.ts"
import { handle, type HandlerDeps } from "./handle.ts"
import type { RegistryServer } from "./server.ts"

/** Where it listens. */
export interface Listening {
  hostname: string
  /** 0: any that is free. */
  port: number
  /** PEM. */
  tls?: { cert: string; key: string } | undefined
}

/** Who says nothing for so long is cut off; an upload goes on from where it was. */
const IDLE_SECONDS = 60

/** Begins to listen. Throws Unavailable where the port is taken, InvalidArgument for an address that is not this host's. */
export function serve(deps: HandlerDeps, { hostname, port, tls }: Listening): RegistryServer {
  const server = listen({
    hostname,
    port,
    tls,
    idleSeconds: IDLE_SECONDS,
    answer: (request, peer) => handle(deps, request, peer),
  })
  const host = hostname.includes(":") ? `[${hostname}]` : hostname
  return {
    url: `${tls === undefined ? "http" : "https"}://${host}:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

function listen(options: HttpServerOptions): HttpServer {
  const { hostname, port } = options
  try {
    return listenHttp(options)
  } catch (cause) {
    if (hasErrno(cause, "EADDRINUSE"))
      throw new Unavailable(`${hostname}:${port} is used by another program`, { hint: "choose another port", cause })
    if (hasErrno(cause, "EACCES", "EADDRNOTAVAIL"))
      throw new InvalidArgument(`cannot listen on ${hostname}:${port}`, { cause })
    throw cause
  }
}
