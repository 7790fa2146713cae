/** An HTTP server, by the runtime's own: a file is sent by the kernel, and a body is taken only as it is read. */

/** Where it listens, and what it answers. */
export interface HttpServerOptions {
  hostname: string
  /** 0: any that is free. */
  port: number
  /** PEM. */
  tls?: { cert: string; key: string } | undefined
  /** A connection on which nothing comes or goes for so long is cut. At most 255. */
  idleSeconds: number
  /** Must not throw. `peer` gives the caller's address. */
  answer(request: Request, peer: () => string | undefined): Promise<Response>
}

/** One that listens. */
export interface HttpServer {
  readonly port: number
  /** Listens no more, and cuts what is under way. */
  stop(): Promise<void>
}

/** Begins to listen. Throws errno errors: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export function listenHttp({ hostname, port, tls, idleSeconds, answer }: HttpServerOptions): HttpServer {
  const server = Bun.serve({
    hostname,
    port,
    // else a second one would take half of what is meant for the first
    reusePort: false,
    ...(tls === undefined ? {} : { tls }),
    // who answers decides what is too much
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: idleSeconds,
    development: false,
    fetch: (request, self) => answer(request, () => self.requestIP(request)?.address),
  })
  return { port: server.port ?? port, stop: () => server.stop(true) }
}

/** A part of a file as the body of an answer; `end` is not in it. */
export function fileBody(path: string, start: number, end: number): Blob {
  return Bun.file(path).slice(start, end)
}
