import { PermissionDenied, Unavailable } from "../../base/errors.ts"
import { send, type HttpLimits, type HttpRequest, type HttpResponse, type TlsSettings } from "./http.ts"

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The settings of each host on the way; certificates and `insecure` belong to a host, not to a request. */
export type TlsFor = (host: string) => Promise<TlsSettings | undefined>

/** RFC 9110, 15.4: the others let a client change the method, and no registry wants that of what it is sent. */
const METHOD_KEEPING = new Set([307, 308])

/**
 * Sends a request and follows its redirects. `authorization` is bound to scheme, host and port of the first request: when
 * a redirect leaves them, it stays behind, also when a later one leads back.
 */
export async function sendFollowing(
  request: Omit<HttpRequest, "tls"> & { authorization?: string },
  tlsFor: TlsFor,
  limits: HttpLimits,
): Promise<HttpResponse> {
  const { authorization, ...first } = request
  let { url } = request
  let credentials: Record<string, string> = authorization === undefined ? {} : { authorization }
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = { ...first.headers, ...credentials }
    const response = await send({ ...first, url, headers, tls: await tlsFor(url.host) }, limits)
    const isReading = request.method === undefined || request.method === "GET" || request.method === "HEAD"
    if (!(isReading ? REDIRECTS : METHOD_KEEPING).has(response.status)) return response
    response.discard()
    url = redirectTarget(response)
    if (url.origin !== request.url.origin) credentials = {}
  }
  throw new Unavailable(`${request.url.host} redirects more than ${MAX_REDIRECTS} times`)
}

function redirectTarget(response: HttpResponse): URL {
  const from = response.url
  const location = response.headers.get("location")
  if (location === null || !URL.canParse(location, from.href))
    throw new Unavailable(`${from.host} answered ${response.status} without saying where to go`)
  const to = new URL(location, from)
  to.username = to.password = ""
  checkOutgoing(to, `${from.host} redirects`)
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new PermissionDenied(`${from.host} redirects to plain http on ${to.host}: refused`)
  return to
}

/** Refuses what a registry may not send us to: other schemes, and the link-local addresses where clouds keep secrets. */
export function checkOutgoing(url: URL, who: string): void {
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new PermissionDenied(`${who} to a ${url.protocol} address: refused`)
  if (isLinkLocal(url.hostname)) throw new PermissionDenied(`${who} to the link-local address ${url.hostname}: refused`)
}

/** `hostname` as URL writes it: numbers are dotted already, IPv6 is in brackets. */
export function isLinkLocal(hostname: string): boolean {
  return hostname.startsWith("169.254.") || /^\[fe[89ab]/i.test(hostname) || /^\[::ffff:a9fe:/i.test(hostname)
}

/** `hostname` as URL writes it. */
export function isLoopback(hostname: string): boolean {
  // the whole address: `127.evil.example` is somebody's name
  return (
    hostname === "localhost" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname) ||
    /^\[::(?:1|ffff:7f\w\w:\w+)\]$/i.test(hostname)
  )
}

/** A literal address that only the host itself or its neighbours can mean. */
export function isPrivateAddress(hostname: string): boolean {
  return (
    isLoopback(hostname) ||
    isLinkLocal(hostname) ||
    /^(?:0|10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(hostname) ||
    /^\[(?:::\]|::ffff:|f[cd])/i.test(hostname)
  )
}
