import { PermissionDenied, Unavailable } from "../../base/errors.ts"
import type { AddressKind } from "./address-kind.ts"
import { checkedFetch } from "./checked-fetch.ts"

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Gets what lies at an http or https address, wherever redirects lead: not from https to plain http, not from elsewhere to
 * this host's own services, and never to where clouds keep secrets. User and password of the address are for its own scheme,
 * host and port, and do not come back once those were left; `more` headers go everywhere. The body is as it travelled.
 *
 * Throws PermissionDenied for a redirect that is refused, Unavailable for too many, and what `fetch` throws.
 */
export async function fetchFollowing(
  first: URL,
  signal?: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<{ response: Response; url: URL }> {
  let url = withoutCredentials(first)
  let authorization = basicAuthorization(first)
  const refused: AddressKind[] = []
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers = { "user-agent": "skiff", "accept-encoding": "identity", ...more, ...authorization }
    const { response, reached } = await checkedFetch(url, { headers, refused, signal })
    const location = response.headers.get("location")
    if (!REDIRECTS.has(response.status) || location === null) return { response, url }
    await response.body?.cancel()
    const next = redirectTarget(location, url)
    if (next.origin !== first.origin) authorization = {}
    if (reached !== "loopback") refused.push("loopback")
    url = next
  }
  throw new Unavailable(`${first.host} redirects more than ${MAX_REDIRECTS} times`)
}

function redirectTarget(location: string, from: URL): URL {
  const to = URL.parse(location, from.href)
  if (to === null || (to.protocol !== "https:" && to.protocol !== "http:"))
    throw new PermissionDenied(`${from.host} redirects to what is neither http nor https: refused`)
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new PermissionDenied(`${from.host} redirects to plain http on ${to.host}: refused`)
  return withoutCredentials(to)
}

function withoutCredentials(url: URL): URL {
  const plain = new URL(url)
  plain.username = plain.password = ""
  return plain
}

function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === "" && password === "") return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` }
}
