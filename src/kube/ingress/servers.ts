/** The ports on which callers are heard, with and without TLS. */
import http from "node:http"
import http2, { type Http2SecureServer } from "node:http2"
import tls, { type SecureContext } from "node:tls"
import { SkiffError, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Proxy } from "./proxy.ts"

/** A certificate with its key, in PEM. */
export interface KeyPair {
  cert: string
  key: string
}

/** Slow callers do not hold what others need. */
const HEADERS_MS = 20_000
const KEEP_ALIVE_MS = 65_000
const LARGEST_HEADERS_BYTES = 32 * 1024

/** Listens on both ports, the second one only once there is a certificate. */
export class IngressServers {
  readonly #proxy: Proxy
  readonly #address: string
  #plain: http.Server | undefined
  #secure: Http2SecureServer | undefined
  #contexts = new Map<string, SecureContext>()

  constructor(proxy: Proxy, address: string) {
    this.#proxy = proxy
    this.#address = address
  }

  /** Throws Unavailable for a port that is another's. */
  async listen(port: number): Promise<void> {
    const arrival = { isTls: false, port }
    const server = http.createServer(
      { maxHeaderSize: LARGEST_HEADERS_BYTES, headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS },
      (request, response) => this.#proxy.answer(request, response, arrival),
    )
    server.on("upgrade", (request, socket, head) => this.#proxy.upgrade(request, socket, head, arrival))
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
        SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) => {
          const context = this.#contextOf(name)
          done(context === undefined ? new Error(`no certificate for "${name}"`) : null, context)
        },
      },
      (request, response) => this.#proxy.answer(request, response, arrival),
    )
    server.on("upgrade", (request, socket, head) => this.#proxy.upgrade(request, socket, head, arrival))
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

  #contextOf(name: string): SecureContext | undefined {
    const host = name.toLowerCase()
    return this.#contexts.get(host) ?? this.#contexts.get(`*${host.slice(host.indexOf("."))}`)
  }
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
