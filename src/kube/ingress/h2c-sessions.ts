import http2, { type ClientHttp2Session } from "node:http2"
import type { VirtualEndpoint } from "../../network/network.ts"

const IDLE_MS = 60_000

/** Connections of HTTP/2 without TLS, one for each endpoint, as long as they are used. */
export class H2cSessions {
  readonly #open = new Map<string, ClientHttp2Session>()

  of({ address, port }: VirtualEndpoint): ClientHttp2Session {
    const origin = `http://${address.includes(":") ? `[${address}]` : address}:${port}`
    const known = this.#open.get(origin)
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const session = http2.connect(origin)
    const forget = (): void => {
      if (this.#open.get(origin) === session) this.#open.delete(origin)
    }
    session.setTimeout(IDLE_MS, () => session.close())
    session.once("goaway", forget)
    session.once("close", forget)
    // each of its streams hears of it too
    session.once("error", forget)
    this.#open.set(origin, session)
    return session
  }

  close(): void {
    for (const session of this.#open.values()) session.destroy()
  }
}
