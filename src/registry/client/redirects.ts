import { PermissionDenied, Unavailable } from "../../base/errors.ts"
import { addressKind, type AddressKind } from "../../sys/net/address-kind.ts"
import { literalAddress, refusalOf } from "../../sys/net/checked-fetch.ts"
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
  const refused = [...(request.refused ?? [])]
  let credentials: Record<string, string> = authorization === undefined ? {} : { authorization }
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = { ...first.headers, ...credentials }
    const response = await send({ ...first, url, headers, refused, tls: await tlsFor(url.host) }, limits)
    const isReading = request.method === undefined || request.method === "GET" || request.method === "HEAD"
    if (!(isReading ? REDIRECTS : METHOD_KEEPING).has(response.status)) return response
    response.discard()
    url = redirectTarget(response)
    refused.push(...refusedFrom(response))
    if (url.origin !== request.url.origin) credentials = {}
  }
  throw new Unavailable(`${request.url.host} redirects more than ${MAX_REDIRECTS} times`)
}

function redirectTarget(response: HttpResponse): URL {
  const from = response.url
  const location = response.headers.get("location")
  if (location === null || !URL.canParse(location, from.href))
    throw new Unavailable(`${from.host} answered ${response.status} without a location`)
  const to = new URL(location, from)
  to.username = to.password = ""
  checkOutgoing(to, `${from.host} redirects`)
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new PermissionDenied(`${from.host} redirects to plain http on ${to.host}: refused`)
  return to
}

/** Refuses what a registry may not send us to: other schemes, and the addresses where clouds keep secrets. */
export function checkOutgoing(url: URL, who: string): void {
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new PermissionDenied(`${who} to a ${url.protocol} address: refused`)
  // a name's addresses are looked at when it is connected to
  const literal = literalAddress(url.hostname)
  const reason = literal === undefined ? undefined : refusalOf(literal)
  if (reason !== undefined) throw new PermissionDenied(`${who} to ${url.host}: refused, since ${reason}`)
}

/** What a server may not lead us to by a redirect: this host's own services, unless it is one of them. */
function refusedFrom({ reached }: Pick<HttpResponse, "reached">): AddressKind[] {
  return reached === "loopback" ? [] : ["loopback"]
}

/** `hostname` as URL writes it. */
export function isLoopback(hostname: string): boolean {
  const literal = literalAddress(hostname)
  // the whole name: `127.evil.example` is somebody's
  return literal === undefined ? hostname === "localhost" : addressKind(literal) === "loopback"
}
