import { setTimeout as sleep } from "node:timers/promises"
import { Cancelled, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { Authenticator } from "./authenticator.ts"
import { errorCode, type HttpLimits, type HttpResponse, type TlsSettings } from "./http.ts"
import type { Location } from "./locations.ts"
import { isLoopback, sendFollowing } from "./redirects.ts"
import type { Credentials } from "./credentials.ts"
import { tlsSettings } from "./tls.ts"

export interface EndpointOptions {
  /** Undefined: checked https, and plain http for loopback; false: unchecked, and plain http anywhere. */
  tlsVerify: boolean | undefined
  credentials(): Promise<Credentials | undefined>
  limits: HttpLimits
  signal?: AbortSignal
}

const MAX_DISCARDED = 64 * 1024
const MAX_RETRY_AFTER_MS = 10_000

/** One repository at one registry or mirror: its scheme, its token, its retries. */
export class Endpoint {
  /** For messages. */
  readonly host: string
  readonly #location: Location
  readonly #options: EndpointOptions
  readonly #authenticator: Authenticator
  readonly #tls = new Map<string, TlsSettings | undefined>()
  #scheme: "https" | "http" = "https"
  #isSchemeKnown = false

  constructor(location: Location, options: EndpointOptions) {
    this.#location = location
    this.#options = options
    this.host = location.registry === "docker.io" ? "registry-1.docker.io" : location.registry
    this.#authenticator = new Authenticator({
      repository: location.repository,
      credentials: options.credentials,
      tlsFor: (host) => this.#tlsFor(host),
      limits: options.limits,
      signal: options.signal,
    })
  }

  /** GETs `/v2/<repository>/<path>`. Any answer is given, 401 after authorisation failed too; a 5xx after all retries. */
  async get(path: string, headers: Record<string, string>): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt++) {
      const used = this.#authenticator.authorization
      const response = await this.#retrying(path, headers, used)
      // a 401 of who we were redirected to is not the registry's: it gets neither token nor password (CVE-2020-15157)
      if (response.status !== 401 || attempt > 0 || response.url.origin !== this.#url(path).origin) return response
      await response.bytes(MAX_DISCARDED).catch(() => response.discard())
      await this.#authenticator.renew(response, used)
      if (this.#authenticator.authorization === used) return response
    }
  }

  async #retrying(path: string, headers: Record<string, string>, authorization: string | undefined) {
    const { attempts, retryDelayMs } = this.#options.limits
    for (let attempt = 1; ; attempt++) {
      const delayMs = retryDelayMs * 2 ** (attempt - 1)
      try {
        const response = await this.#send(path, headers, authorization)
        if (attempt >= attempts || (response.status < 500 && response.status !== 429)) return response
        const wantedMs = Number(response.headers.get("retry-after") ?? 0) * 1000
        if (wantedMs > MAX_RETRY_AFTER_MS) return response
        response.discard()
        log.info("registry is busy, trying again", { host: this.host, status: response.status })
        await this.#pause(Math.max(delayMs, wantedMs || 0))
      } catch (error) {
        if (attempt >= attempts || !isSkiffError(error, "Unavailable") || errorCode(error) !== "ECONNRESET") throw error
        await this.#pause(delayMs)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal }).catch((cause: unknown) => {
      throw new Cancelled("pull was cancelled", { cause })
    })
  }

  /** The first answer decides between https and, where it may be, plain http: a host that speaks no TLS at all. */
  async #send(path: string, headers: Record<string, string>, authorization: string | undefined): Promise<HttpResponse> {
    const { limits, signal } = this.#options
    const send = () =>
      sendFollowing({ url: this.#url(path), headers, authorization, signal }, (host) => this.#tlsFor(host), limits)
    if (this.#isSchemeKnown) return await send()
    try {
      const response = await send()
      this.#isSchemeKnown = true
      return response
    } catch (error) {
      if (!this.#mayBePlain || !this.#speaksNoTls(error)) throw error
      this.#scheme = "http"
      this.#isSchemeKnown = true
      return await send()
    }
  }

  #speaksNoTls(error: unknown): boolean {
    const code = errorCode(error)
    // a certificate that is not trusted has a code of its own, and is never a reason to go on without TLS
    return code === "EPROTO" || code === "ECONNRESET" || (code === "ECONNREFUSED" && !/:\d+$/.test(this.host))
  }

  get #isInsecure(): boolean {
    return this.#options.tlsVerify === false || (this.#options.tlsVerify === undefined && this.#location.insecure)
  }

  get #mayBePlain(): boolean {
    const { hostname } = new URL(`http://${this.host}`)
    return this.#isInsecure || (this.#options.tlsVerify === undefined && isLoopback(hostname))
  }

  #url(path: string): URL {
    return new URL(`${this.#scheme}://${this.host}/v2/${this.#location.repository}/${path}`)
  }

  async #tlsFor(host: string): Promise<TlsSettings | undefined> {
    if (host === this.host && this.#scheme === "http") return undefined
    if (!this.#tls.has(host)) {
      const isUnchecked = this.#options.tlsVerify === false || (this.#isInsecure && host === this.host)
      this.#tls.set(host, { ...tlsSettings(host), ...(isUnchecked ? { rejectUnauthorized: false } : {}) })
    }
    return this.#tls.get(host)
  }
}
