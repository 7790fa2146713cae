import { InvalidArgument, PermissionDenied, Unavailable } from "../../base/errors.ts"
import { parseDocument } from "../../spec/parse-document.ts"
import { parseChallenges } from "./challenge.ts"
import type { RegistryCredentials } from "../registry.ts"
import { send, type HttpLimits, type HttpResponse } from "./http.ts"
import { checkOutgoing, sendFollowing, type TlsFor } from "./redirects.ts"
import { addressKind, type AddressKind } from "../../sys/net/address-kind.ts"
import { literalAddress } from "../../sys/net/checked-fetch.ts"

const MAX_TOKEN_BYTES = 1024 ** 2
const TOKEN = /^[\x21-\x7e]+$/

/** What is asked for, and with whose credentials. */
export interface AuthenticatorOptions {
  /** What the token is for (distribution spec, auth/scope.md): `repository:library/debian:pull`; none to log in. */
  scopes: readonly string[]
  /** Asked for only when the registry wants some. */
  credentials(): Promise<RegistryCredentials | undefined>
  tlsFor: TlsFor
  limits: HttpLimits
  signal?: AbortSignal
}

/** What authorises us at one registry for what we do there. Layers that go side by side share one token. */
export class Authenticator {
  /** The Authorization header, as far as the registry has asked for one. */
  authorization: string | undefined
  readonly #options: AuthenticatorOptions
  #renewal: Promise<void> | undefined

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** Answers a 401 of the registry to a request sent with `used`. Does nothing when another request did so meanwhile. */
  async renew(response: HttpResponse, used: string | undefined): Promise<void> {
    if (this.authorization !== used) return
    this.#renewal ??= this.#answer(response).finally(() => (this.#renewal = undefined))
    await this.#renewal
  }

  async #answer(response: HttpResponse): Promise<void> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "")
    const bearer = challenges.find(({ scheme }) => scheme === "bearer")
    const credentials = await this.#options.credentials()
    if (credentials && "registryToken" in credentials) {
      // it is the registry's own, and goes nowhere else; what is no token would be more than a header
      if (!TOKEN.test(credentials.registryToken)) throw new InvalidArgument("the registry's token is none")
      if (bearer) this.authorization = `Bearer ${credentials.registryToken}`
    } else if (bearer) {
      this.authorization = `Bearer ${await this.#token(response, bearer.parameters, credentials)}`
    } else if (
      challenges.some(({ scheme }) => scheme === "basic") &&
      credentials &&
      !("identityToken" in credentials)
    ) {
      this.authorization = basic(credentials)
    }
  }

  /** Fetches a token (distribution spec, auth/token.md; with an identity token auth/oauth.md). */
  async #token(
    registry: HttpResponse,
    { realm = "", service }: Record<string, string>,
    credentials: Exclude<RegistryCredentials, { registryToken: string }> | undefined,
  ): Promise<string> {
    const { scopes, tlsFor, limits, signal } = this.#options
    const url = tokenUrl(realm, registry.url)
    const refused = refusedRealms(url, registry)
    let response: HttpResponse
    if (credentials && "identityToken" in credentials) {
      const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "skiff", scope: scopes.join(" ") })
      if (service !== undefined) form.set("service", service)
      form.set("refresh_token", credentials.identityToken)
      const headers = { "content-type": "application/x-www-form-urlencoded" }
      const tls = await tlsFor(url.host)
      response = await send({ url, method: "POST", headers, body: form.toString(), tls, refused, signal }, limits)
    } else {
      if (service !== undefined) url.searchParams.set("service", service)
      for (const scope of scopes) url.searchParams.append("scope", scope)
      if (credentials) url.searchParams.set("account", credentials.username)
      const authorization = credentials && basic(credentials)
      response = await sendFollowing({ url, headers: {}, authorization, refused, signal }, tlsFor, limits)
    }
    if (response.status !== 200) {
      response.discard()
      throw tokenError(url, response.status, credentials !== undefined)
    }
    const document = parseDocument(await response.bytes(MAX_TOKEN_BYTES), MAX_TOKEN_BYTES, `token of ${url.host}`)
    const token = document.token ?? document.access_token
    if (typeof token !== "string" || !TOKEN.test(token)) throw new Unavailable(`${url.host} answered without a token`)
    return token
  }
}

/**
 * Where to fetch a token. The registry names the place, and it is sent the user's password: the registry itself (scheme, host
 * and port), or else, as Docker Hub's auth.docker.io, a place whose certificate says who it is.
 */
function tokenUrl(realm: string, registry: URL): URL {
  if (!URL.canParse(realm)) throw new Unavailable(`${registry.host} asks for a token, but does not say where to get it`)
  const url = new URL(realm)
  const who = `${registry.host} sends for a token`
  checkOutgoing(url, who)
  if (url.protocol === "http:" && url.origin !== registry.origin)
    throw new PermissionDenied(`${who} over plain http to ${url.host}: refused`, {
      hint: "a password goes to another host or port over https only",
    })
  const literal = literalAddress(url.hostname)
  if (literal !== undefined && url.hostname !== registry.hostname && addressKind(literal) !== "public")
    throw new PermissionDenied(`${who} to the internal address ${url.host}: refused`)
  url.username = url.password = ""
  return url
}

/** A name must not turn out to lead from the internet into our own network either; inside of it, it may. */
function refusedRealms(url: URL, registry: HttpResponse): AddressKind[] {
  if (url.origin === registry.url.origin || registry.reached === "loopback") return []
  return registry.reached === "private" ? ["loopback"] : ["loopback", "private"]
}

function tokenError(url: URL, status: number, withCredentials: boolean): Error {
  if (status === 401 || status === 403 || status === 400)
    return new PermissionDenied(
      `${url.host} answered ${status} to the request for a token${withCredentials ? " with the credentials configured" : ""}`,
      { hint: withCredentials ? ["check user name and password", { do: "login", registry: url.host }] : undefined },
    )
  return new Unavailable(`${url.host} answered ${status} to the request for a token`)
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
}
