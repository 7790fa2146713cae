import { createServer, request, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** Stands before a registry and counts the bytes of blobs that it sends; may keep ranges from it. */
export class CountingProxy {
  bytes = 0
  requests = 0
  withoutRanges = false
  readonly #server: Server
  readonly #to: string

  constructor(to: string) {
    this.#to = to
    this.#server = createServer((incoming, outgoing) => {
      const headers = { ...incoming.headers }
      if (this.withoutRanges) delete headers.range
      const [hostname, port] = this.#to.split(":")
      const options = { hostname, port, path: incoming.url, method: incoming.method, headers }
      const asked = request(options, (answer: IncomingMessage) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        if (/blobs/.test(incoming.url ?? "") && incoming.method === "GET") {
          this.requests++
          answer.on("data", (chunk: Uint8Array) => (this.bytes += chunk.length))
        }
        answer.pipe(outgoing)
      })
      asked.on("error", () => outgoing.destroy())
      incoming.pipe(asked)
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    // who only measures need not stop it
    this.#server.unref()
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
