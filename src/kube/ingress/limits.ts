/** What one caller, and all of them together, may hold of the proxy: it reads what strangers send. */
export interface IngressLimits {
  /** Requests and WebSockets at once: of all callers, of one. */
  requests: number
  requestsOfOne: number
  /** Connections at once: of all callers, of one. */
  connections: number
  connectionsOfOne: number
  /** Of HTTP/2, requests at once on one connection. */
  streams: number
  /** Of HTTP/2, requests that a caller takes back on one connection within ten seconds before it is cut (CVE-2023-44487). */
  resets: number
  /** Of HTTP/2, pings and settings on one connection within ten seconds. */
  signals: number
  /** A handshake and the head of a request must be there by then. */
  headMs: number
  /** So long a connection may do nothing between two requests. */
  idleMs: number
  /** In each such time a body that is not whole brings `bodyBytes`, and a caller takes something of an answer that waits for him. */
  bodyMs: number
  bodyBytes: number
  /** A backend that says nothing for so long has gone. */
  silentMs: number
}

/** Those of the proxy that serves; tests have smaller ones. */
export const USUAL_LIMITS: IngressLimits = {
  requests: 4096,
  requestsOfOne: 1024,
  connections: 8192,
  connectionsOfOne: 1024,
  streams: 128,
  resets: 200,
  signals: 1000,
  headMs: 20_000,
  idleMs: 65_000,
  bodyMs: 60_000,
  bodyBytes: 1024,
  silentMs: 300_000,
}

/** Places that callers take and give back: so many in all, and so many for each of them. */
export class Places {
  readonly #all: number
  readonly #ofOne: number
  readonly #byClient = new Map<string, number>()
  #taken = 0

  constructor(all: number, ofOne: number) {
    this.#all = all
    this.#ofOne = ofOne
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken
  }

  /** Gives the place back, once; undefined: there is none for him. */
  take(address: string | undefined): (() => void) | undefined {
    const client = clientOf(address)
    const own = this.#byClient.get(client) ?? 0
    if (this.#taken >= this.#all || own >= this.#ofOne) return undefined
    this.#taken++
    this.#byClient.set(client, own + 1)
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#taken--
      const left = (this.#byClient.get(client) ?? 1) - 1
      if (left > 0) this.#byClient.set(client, left)
      else this.#byClient.delete(client)
    }
  }
}

/** Whom an address is of: of IPv6 a subscriber has a whole /64 at least. */
export function clientOf(address = ""): string {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, "").replace(/%.*$/, "")
  if (!plain.includes(":")) return plain
  const [head = "", tail] = plain.toLowerCase().split("::")
  const [before, after] = [head, tail ?? ""].map((part) => (part === "" ? [] : part.split(":")))
  const zeros = tail === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0)
  const groups = [...(before ?? []), ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...(after ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")
}
