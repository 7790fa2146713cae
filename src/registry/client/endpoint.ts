import { setTimeout as sleep } from "node:timers/promises"
import { Cancelled, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { Authenticator } from "./authenticator.ts"
import { errorCode, type HttpLimits, type HttpRequest, type HttpResponse, type TlsSettings } from "./http.ts"
import type { Location } from "./locations.ts"
import { isLoopback, sendFollowing } from "./redirects.ts"
import type { RegistryCredentials } from "../registry.ts"
import { tlsSettings } from "./tls.ts"

/** How one registry is spoken to. */
export interface EndpointOptions {
  /** Undefined: checked https, and plain http for loopback; false: unchecked, and plain http anywhere. */
  tlsVerify: boolean | undefined
  certDir?: string
  credentials(): Promise<RegistryCredentials | undefined>
  /** What a token is asked for; default: to pull from the repository. */
  scopes?: readonly string[]
  limits: HttpLimits
  signal?: AbortSignal
}

/** A request to a path of the repository. */
export interface EndpointRequest extends Pick<HttpRequest, "method" | "body"> {
  /** Below `/v2/<repository>/`, or a whole address that the registry gave us. */
  to: string | URL
  headers?: Record<string, string>
  /** Whether it may be sent again when the registry is busy or the line was cut; default true. */
  repeats?: boolean
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

  /** An empty repository: the registry itself, `/v2/`. */
  constructor(location: Location, options: EndpointOptions) {
    this.#location = location
    this.#options = options
    this.host = location.registry === "docker.io" ? "registry-1.docker.io" : location.registry
    this.#authenticator = new Authenticator({
      scopes: options.scopes ?? [`repository:${location.repository}:pull`],
      credentials: options.credentials,
      tlsFor: (host) => this.#tlsFor(host),
      limits: options.limits,
      signal: options.signal,
    })
  }

  /** GETs `/v2/<repository>/<path>`: see `request`. */
  async get(path: string, headers: Record<string, string>): Promise<HttpResponse> {
    return await this.request({ to: path, headers })
  }

  /** Any answer is given, 401 after authorisation failed too; a 5xx after all retries. */
  async request(request: EndpointRequest): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt++) {
      const used = this.#authenticator.authorization
      const response = await this.#retrying(request, used)
      // a 401 of who we were redirected to is not the registry's: it gets neither token nor password (CVE-2020-15157)
      if (response.status !== 401 || attempt > 0 || response.url.origin !== this.#url("").origin) return response
      await response.bytes(MAX_DISCARDED).catch(() => response.discard())
      await this.#authenticator.renew(response, used)
      if (this.#authenticator.authorization === used) return response
    }
  }

  async #retrying(request: EndpointRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { attempts: most, retryDelayMs } = this.#options.limits
    const attempts = request.repeats === false ? 1 : most
    for (let attempt = 1; ; attempt++) {
      const delayMs = retryDelayMs * 2 ** (attempt - 1)
      try {
        const response = await this.#send(request, authorization)
        if (attempt >= attempts || (response.status < 500 && response.status !== 429)) return response
        const wantedMs = Number(response.headers.get("retry-after") ?? 0) * 1000
        if (wantedMs > MAX_RETRY_AFTER_MS) return response
        response.discard()
        log.info("registry is busy, trying again", { host: this.host, status: response.status })
        await this.pause(Math.max(delayMs, wantedMs || 0))
      } catch (error) {
        if (attempt >= attempts || !isSkiffError(error, "Unavailable") || errorCode(error) !== "ECONNRESET") throw error
        await this.pause(delayMs)
      }
    }
  }

  /** Throws Cancelled when the caller has had enough meanwhile. */
  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.signal }).catch((cause: unknown) => {
      throw new Cancelled(`waiting for ${this.host} was cancelled`, { cause })
    })
  }

  /** The first answer decides between https and, where it may be, plain http: a host that speaks no TLS at all. */
  async #send(request: EndpointRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { limits, signal } = this.#options
    const send = () => {
      const url = request.to instanceof URL ? request.to : this.#url(request.to)
      const isOurs = url.origin === this.#url("").origin
      const { method, body, headers = {} } = request
      return sendFollowing(
        { url, method, body, headers, authorization: isOurs ? authorization : undefined, signal },
        (host) => this.#tlsFor(host),
        limits,
      )
    }
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
    const { repository } = this.#location
    return new URL(`${this.#scheme}://${this.host}/v2/${repository === "" ? "" : `${repository}/`}${path}`)
  }

  async #tlsFor(host: string): Promise<TlsSettings | undefined> {
    if (host === this.host && this.#scheme === "http") return undefined
    if (!this.#tls.has(host)) {
      const isUnchecked = this.#options.tlsVerify === false || (this.#isInsecure && host === this.host)
      // `--cert-dir` is for the registry that the user named, not for where it sends us
      const settings = tlsSettings(host, host === this.host ? this.#options.certDir : undefined)
      this.#tls.set(host, { ...settings, ...(isUnchecked ? { rejectUnauthorized: false } : {}) })
    }
    return this.#tls.get(host)
  }
}
