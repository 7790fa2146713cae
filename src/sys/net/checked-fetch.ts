/**
 * The one way by which we make HTTP requests: to an address that was looked at first.
 *
 * Names are answered by strangers. A check of the name's address before `fetch` looks it up again is none (DNS rebinding), so
 * the name is looked up here, once, and the request goes to the address that was found fit; `Host` and the TLS server name
 * are the name's, and so is the certificate. Through a proxy of the environment the proxy looks names up, in its own network.
 */
import { PermissionDenied } from "../../base/errors.ts"
import { addressKind, type AddressKind } from "./address-kind.ts"
import { proxyFor } from "./proxy.ts"

/** As fetch takes it, with what is checked before the connection is made. */
export interface CheckedRequest {
  method?: string
  headers?: Record<string, string>
  body?: unknown
  tls?: Record<string, unknown>
  signal?: AbortSignal
  /** What else may not be reached than `metadata`. */
  refused?: readonly AddressKind[]
}

/** An answer, with the kind of address that gave it. */
export interface CheckedResponse {
  response: Response
  /** What answered; "proxy": only the proxy knows. */
  reached: AddressKind | "proxy"
}

/**
 * Sends one request; redirects are the caller's, and the body is as it travelled. Throws PermissionDenied for an address that
 * is refused, and what `fetch` throws.
 */
export async function checkedFetch(url: URL, request: CheckedRequest): Promise<CheckedResponse> {
  const { refused = [], headers, tls, ...rest } = request
  const target = await chooseTarget(url, refused, request.signal)
  const sent = fetch(target.url, {
    ...rest,
    headers: { ...headers, ...(target.isPinned ? { host: url.host } : {}) },
    redirect: "manual",
    decompress: false,
    // false: the address is not what NO_PROXY names
    proxy: target.proxy ?? false,
    ...(url.protocol === "https:" ? { tls: { ...tls, ...(target.isPinned ? { serverName: url.hostname } : {}) } } : {}),
  } as unknown as RequestInit)
  // whoever comes next may find another address that answers
  sent.catch(() => chosen.delete(url.host))
  return { response: await sent, reached: target.kind }
}

interface Target {
  url: URL
  kind: AddressKind | "proxy"
  /** The host of `url` is an address in place of the name. */
  isPinned: boolean
  proxy?: string
}

async function chooseTarget(url: URL, refused: readonly AddressKind[], signal?: AbortSignal): Promise<Target> {
  const literal = literalAddress(url.hostname)
  if (literal !== undefined) checkAddress(literal, url, refused)
  const proxy = proxyFor(url)
  if (proxy !== undefined) return { url, kind: "proxy", isPinned: false, proxy }
  if (literal !== undefined) return { url, kind: addressKind(literal), isPinned: false }
  const address = await addressOf(url, refused, signal)
  const pinned = new URL(url)
  pinned.hostname = address.includes(":") ? `[${address}]` : address
  return { url: pinned, kind: addressKind(address), isPinned: true }
}

/** Throws PermissionDenied when nobody of ours may connect to `address`, which `url` leads to. */
function checkAddress(address: string, url: URL, refused: readonly AddressKind[]): void {
  const reason = refusalOf(address, refused)
  if (reason === undefined) return
  const name = literalAddress(url.hostname) === undefined ? `${url.host} (${address})` : url.host
  throw new PermissionDenied(`refused to connect to ${name}: ${reason}`)
}

/** Why nobody of ours may connect to `address`; undefined: we may. */
export function refusalOf(address: string, refused: readonly AddressKind[] = []): string | undefined {
  const kind = addressKind(address)
  return kind === "metadata" || refused.includes(kind) ? REASONS[kind] : undefined
}

const REASONS: Record<AddressKind, string> = {
  metadata: "it is a link-local address, or one where a cloud keeps a machine's secrets",
  loopback: "it is this host itself, and another host leads there",
  private: "it is an internal address, and a host of the internet leads there",
  public: "it is not an internal address",
}

/** The address that a URL names, without brackets; undefined for a name. URL has read `0x7f.1` and the like already. */
export function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith("[")) return hostname.slice(1, -1)
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : undefined
}

/** Connections to one host go to one address, so that they can be used again. */
const chosen = new Map<string, { address: string; at: number }>()
const CHOICE_LASTS_MS = 30_000

/** The address to connect to for `url`, looked at. Throws PermissionDenied for one that is refused, and as `fetch` does. */
export async function addressOf(url: URL, refused: readonly AddressKind[], signal?: AbortSignal): Promise<string> {
  const literal = literalAddress(url.hostname)
  if (literal !== undefined) {
    checkAddress(literal, url, refused)
    return literal
  }
  const known = chosen.get(url.host)
  if (known !== undefined && performance.now() - known.at < CHOICE_LASTS_MS) {
    checkAddress(known.address, url, refused)
    return known.address
  }
  const addresses = await lookUp(url.hostname)
  // one that is refused among good ones is a trick, not a choice
  for (const address of addresses) checkAddress(address, url, refused)
  const [first = ""] = addresses
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80))
  const address = addresses.length > 1 ? ((await firstToAnswer(addresses, port, signal)) ?? first) : first
  chosen.set(url.host, { address, at: performance.now() })
  return address
}

/** The addresses of a name, in the order in which to try them (getaddrinfo(3)); at least one. Throws as `fetch` does. */
export async function lookUp(name: string): Promise<string[]> {
  const found = await Bun.dns.lookup(name, { backend: "libc" })
  const addresses = [...new Set(found.map(({ address }) => address.replace(/%.*$/, "")))]
  if (addresses.length === 0) throw Object.assign(new Error(`no address of ${name}`), { code: "ENOTFOUND" })
  return addresses
}

const NEXT_AFTER_MS = 250

/**
 * The first address that takes a connection; the next is tried when one has failed, or has not answered for a while
 * (RFC 8305): many a host has an IPv6 address and no way to use it. Undefined when none does: the request will say why.
 */
async function firstToAnswer(
  addresses: readonly string[],
  port: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  signal?.addEventListener("abort", () => resolve(undefined), { once: true })
  let [next, failed] = [0, 0]
  const tryNext = (): void => {
    clearTimeout(timer)
    const address = addresses[next++]
    if (address === undefined) return
    const onFailure = (): void => (++failed === addresses.length ? resolve(undefined) : tryNext())
    const open = (socket: { end(): void }): void => {
      socket.end()
      resolve(address)
    }
    Bun.connect({ hostname: address, port, socket: { open, connectError: onFailure, data() {} } }).catch(() => {})
    timer = setTimeout(tryNext, NEXT_AFTER_MS)
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  tryNext()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    next = addresses.length
  }
}
