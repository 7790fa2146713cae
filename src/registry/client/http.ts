import type { Bytes } from "../../base/bytes.ts"
import { Cancelled, DataLoss, SkiffError, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { AddressKind } from "../../sys/net/address-kind.ts"
import { checkedFetch, type CheckedResponse } from "../../sys/net/checked-fetch.ts"

/** When a server has had its chance. */
export interface HttpLimits {
  /** Until the head of an answer is there. */
  answerTimeoutMs: number
  /** How long nothing of a body that we send may be taken; the last megabytes of it lie in buffers we cannot see. */
  uploadTimeoutMs: number
  /** How long a body may bring less than `slowestBytesPerSecond`; the time in which nobody reads does not count. */
  stallTimeoutMs: number
  slowestBytesPerSecond: number
  /** Of a request that was answered 429 or 5xx, or cut off. */
  attempts: number
  /** Before the second attempt; doubles with each. */
  retryDelayMs: number
}

/** The limits where none are given. */
export const DEFAULT_LIMITS: HttpLimits = {
  answerTimeoutMs: 30_000,
  uploadTimeoutMs: 300_000,
  stallTimeoutMs: 30_000,
  slowestBytesPerSecond: 256,
  attempts: 4,
  retryDelayMs: 500,
}

/** Roots and our own certificate, as PEM. */
export interface TlsSettings {
  ca?: string[]
  cert?: string
  key?: string
  rejectUnauthorized?: boolean
}

/** One request, without its redirects. */
export interface HttpRequest {
  url: URL
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  headers: Record<string, string>
  /** A function begins a stream anew, for a request that must be sent again. */
  body?: string | Uint8Array | (() => Bytes)
  tls?: TlsSettings
  /** Where it may not lead (checked-fetch.ts), beside the addresses that nobody may reach. */
  refused?: readonly AddressKind[]
  signal?: AbortSignal
}

/** The head of an answer; its body is read once, or discarded. */
export interface HttpResponse {
  url: URL
  reached: CheckedResponse["reached"]
  status: number
  headers: Headers
  /** The body, at most once. Ends with DataLoss beyond `maxBytes`, with Unavailable on a stall or a cut connection. */
  stream(maxBytes: number): AsyncGenerator<Uint8Array>
  /** The whole body. Throws as `stream` does. */
  bytes(maxBytes: number): Promise<Uint8Array>
  /** Lets go of the connection without reading on. */
  discard(): void
}

/**
 * Sends one request and gives the head of its answer; redirects are the caller's. Throws PermissionDenied for an address that
 * may not be reached, else Unavailable with the address and the reason; its `cause` carries the system's code. Bun's fetch does here what node:https would: own roots and client
 * certificates, no silent decompression, and back-pressure (measured: a reader that stops holds 9 MB, not the blob).
 */
export async function send(request: HttpRequest, limits: HttpLimits): Promise<HttpResponse> {
  const { url, signal } = request
  log.debug("request", { method: request.method ?? "GET", url: `${url.origin}${url.pathname}` })
  const stop = new AbortController()
  const isStream = typeof request.body === "function"
  const timeoutMs = isStream ? limits.uploadTimeoutMs : limits.answerTimeoutMs
  const timer = setTimeout(() => stop.abort(), timeoutMs)
  const source = typeof request.body === "function" ? new SentBytes(request.body(), () => timer.refresh()) : undefined
  try {
    const checked = await checkedFetch(url, {
      method: request.method ?? "GET",
      headers: { "user-agent": "skiff", "accept-encoding": "identity", ...request.headers },
      body: source === undefined ? request.body : source.bytes(),
      tls: { ...request.tls },
      refused: request.refused,
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    })
    return new Answer(url, checked, stop, limits, signal)
  } catch (cause) {
    if (source?.error !== undefined) throw source.error
    if (cause instanceof SkiffError) throw cause
    throw sendError(url, cause, signal, stop.signal.aborted ? timeoutMs : undefined)
  } finally {
    clearTimeout(timer)
  }
}

/** A body on its way out; what goes wrong at its source is told from what goes wrong on the line. */
class SentBytes {
  error: unknown
  readonly #source: Bytes
  readonly #onChunk: () => void

  constructor(source: Bytes, onChunk: () => void) {
    this.#source = source
    this.#onChunk = onChunk
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) {
        this.#onChunk()
        yield chunk
      }
    } catch (error) {
      this.error = error
      throw error
    }
  }
}

class Answer implements HttpResponse {
  readonly url: URL
  readonly reached: CheckedResponse["reached"]
  readonly status: number
  readonly headers: Headers
  readonly #body: ReadableStream<Uint8Array> | null
  readonly #stop: AbortController
  readonly #limits: HttpLimits
  readonly #signal: AbortSignal | undefined

  constructor(
    url: URL,
    { response, reached }: CheckedResponse,
    stop: AbortController,
    limits: HttpLimits,
    signal?: AbortSignal,
  ) {
    this.url = url
    this.reached = reached
    this.status = response.status
    this.headers = response.headers
    this.#body = response.body
    this.#stop = stop
    this.#limits = limits
    this.#signal = signal
  }

  async *stream(maxBytes: number): AsyncGenerator<Uint8Array> {
    const { stallTimeoutMs, slowestBytesPerSecond } = this.#limits
    if (this.#body === null) return
    const reader = this.#body.getReader()
    let received = 0
    let stalled = false
    let waiting = false
    const stall = () => {
      stalled = waiting
      if (stalled) this.#stop.abort()
    }
    const timer = setTimeout(stall, stallTimeoutMs)
    const window = { waitedMs: 0, bytes: 0 }
    try {
      while (true) {
        const since = performance.now()
        waiting = true
        timer.refresh()
        const { done, value } = await reader.read()
        waiting = false
        if (done) return
        received += value.length
        if (received > maxBytes) throw new DataLoss(`${this.url.host} sent more than the expected ${maxBytes} bytes`)
        window.waitedMs += performance.now() - since
        window.bytes += value.length
        if (window.waitedMs >= stallTimeoutMs) {
          stalled = window.bytes < (slowestBytesPerSecond * window.waitedMs) / 1000
          if (stalled) throw stallError(this.url, stallTimeoutMs)
          window.waitedMs = window.bytes = 0
        }
        yield value
      }
    } catch (cause) {
      if (cause instanceof SkiffError) throw cause
      throw stalled ? stallError(this.url, stallTimeoutMs) : sendError(this.url, cause, this.#signal)
    } finally {
      clearTimeout(timer)
      this.discard()
    }
  }

  async bytes(maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.stream(maxBytes)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  discard(): void {
    this.#stop.abort()
  }
}

function stallError(url: URL, ms: number): Unavailable {
  return new Unavailable(`${url.host} is too slow: almost nothing was received in ${Math.round(ms / 1000)} s`)
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the host's address could not be looked up",
  EPROTO: "it does not speak TLS",
  ETIMEDOUT: "connecting took too long",
  ENETUNREACH: "network is unreachable",
  EHOSTUNREACH: "no route to host",
  ResponseHeadersTooLarge: "the headers of its response are too large",
}

function sendError(url: URL, cause: unknown, signal?: AbortSignal, timedOutMs?: number): SkiffError {
  if (signal?.aborted) return new Cancelled(`request to ${url.host} was cancelled`, { cause })
  const code = errorCode(cause)
  const reason =
    timedOutMs === undefined
      ? (REASONS[code ?? ""] ?? certificateReason(code) ?? (cause instanceof Error ? cause.message : String(cause)))
      : `no response in ${Math.round(timedOutMs / 1000)} s`
  return new Unavailable(`cannot reach ${url.host}: ${reason}`, {
    cause,
    hint: certificateReason(code)
      ? [
          `put the registry's CA in /etc/containers/certs.d/${url.host}/ca.crt`,
          { do: "set", field: "tlsVerify", value: "false" },
        ]
      : reachHint(url, code),
  })
}

/** What there is to check, where the reason tells it. */
function reachHint(url: URL, code: string | undefined): string | undefined {
  if (code === "ConnectionRefused" || code === "ECONNREFUSED")
    return `check the address: nothing listens on ${url.host}`
  if (/NOTFOUND|EAI_AGAIN/.test(code ?? "")) return `check the name ${url.hostname}, and this host's network and DNS`
  return /ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.test(code ?? "")
    ? "check this host's network and proxy settings"
    : undefined
}

/** The system's or TLS library's word for what went wrong with a request, kept in the error's cause. */
export function errorCode(error: unknown): string | undefined {
  const source = error instanceof SkiffError ? error.cause : error
  const code = (source as { code?: unknown } | undefined)?.code
  // Bun's own look-ups of names put a prefix before getaddrinfo's
  return typeof code === "string" ? code.replace(/^DNS_/, "") : undefined
}

function certificateReason(code: string | undefined): string | undefined {
  return /CERT|SIGNATURE|ISSUER|CRL|ALTNAME/.test(code ?? "")
    ? `its certificate is not trusted (${code?.toLowerCase().replaceAll("_", " ")})`
    : undefined
}
