import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** A service on the host: `await using server = await serve(() => …)`. Listens on all addresses unless told. */
export async function serve(handler: RequestListener, host = "0.0.0.0"): Promise<AsyncDisposable & { port: number }> {
  const server: Server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export const serveText = (text: string, host?: string) => serve((_, response) => response.end(text), host)
