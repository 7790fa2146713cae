import type { Bytes } from "../../base/bytes.ts"
import { Cancelled, InvalidArgument, SkiffError, Unavailable } from "../../base/errors.ts"
import { fetchFollowing } from "./follow-redirects.ts"

/** Bounds of reading an answer's body. */
export interface DownloadOptions {
  signal?: AbortSignal
  /** How long nothing may come; the time in which nobody reads does not count. */
  stallTimeoutMs?: number
  /** Sent with each request. */
  headers?: Readonly<Record<string, string>>
  /** Answers without a body that are none to throw for. */
  accepts?: readonly number[]
  /** Before the first byte. */
  onResponse?: (response: Pick<Response, "status" | "headers">) => void
}

/**
 * The bytes that lie at an http or https address, redirects followed (follow-redirects.ts). Throws InvalidArgument,
 * PermissionDenied, Unavailable, Cancelled.
 */
export async function* download(address: string, options: DownloadOptions = {}): Bytes {
  const { signal, stallTimeoutMs = 60_000, headers, accepts = [], onResponse } = options
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new InvalidArgument(`cannot download from "${shownAddress(address)}": not an http or https address`)
  const stop = new AbortController()
  let waits = true
  const timer = setTimeout(() => waits && stop.abort(), stallTimeoutMs)
  try {
    const { response } = await fetchFollowing(
      url,
      signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      headers,
    )
    if (accepts.includes(response.status)) {
      onResponse?.(response)
      await response.body?.cancel()
      return
    }
    if (!response.ok || response.body === null)
      throw new Unavailable(`${url.host} answered ${response.status} to the request for "${shownAddress(address)}"`)
    onResponse?.(response)
    let received = 0
    for (const reader = response.body.getReader(); ;) {
      waits = true
      timer.refresh()
      const { done, value } = await reader.read()
      waits = false
      if (done) break
      received += value.length
      yield value
    }
    const length = response.headers.get("content-length")
    if (length !== null && received !== Number(length))
      throw new Unavailable(`${url.host} sent ${received} bytes of ${length}, then ended`)
  } catch (cause) {
    if (cause instanceof SkiffError) throw cause
    if (signal?.aborted) throw new Cancelled(`the download from ${url.host} was cancelled`, { cause })
    const reason = stop.signal.aborted
      ? `nothing was received in ${Math.round(stallTimeoutMs / 1000)} s`
      : reasonOf(cause)
    throw new Unavailable(`cannot download from ${url.host}: ${reason}`, { cause })
  } finally {
    clearTimeout(timer)
    stop.abort() // lets go of the connection of a reader that had enough
  }
}

/** An address as it may be shown and written down: without user, password and query. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return address.slice(0, 200)
  const url = new URL(address)
  url.username = url.password = url.search = ""
  return url.href
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
