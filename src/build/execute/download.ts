import { createHash } from "node:crypto"
import { closeSync, futimesSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { Cancelled, DataLoss, hasErrno, InvalidArgument, isSkiffError, Unavailable } from "../../base/errors.ts"
import { formatSize } from "../../base/sizes.ts"
import { digestAlgorithm, type Digest } from "../../spec/digest.ts"
import { fetchFollowing } from "../../sys/net/follow-redirects.ts"
import type { WorkContext } from "./executor.ts"

/** Bounds of one download. */
export interface DownloadLimits {
  bytes: number
  /** Until the head of the answer is there, and then without a byte. */
  stallMs: number
}

const LIMITS: DownloadLimits = { bytes: 64 * 2 ** 30, stallMs: 60_000 }
const STATUS_EVERY_BYTES = 4 * 1024 * 1024

/** See `Executor.download`. */
export async function download(
  url: string,
  directory: string,
  checksum: Digest | undefined,
  context: WorkContext,
  limits: DownloadLimits = LIMITS,
): Promise<string> {
  const stop = new AbortController()
  const signal = context.signal === undefined ? stop.signal : AbortSignal.any([context.signal, stop.signal])
  const timer = setTimeout(() => stop.abort(), limits.stallMs)
  try {
    const { response, url: finalUrl } = await fetchFollowing(parseUrl(url), signal)
    if (!response.ok) throw new Unavailable(`cannot fetch ${shown(url)}: the server answered ${response.status}`)
    const name = fileName(response, finalUrl)
    await store(response, join(directory, name), { url, checksum, context, limits, timer })
    return name
  } catch (error) {
    if (context.signal?.aborted) throw new Cancelled("the download was cancelled", { cause: error })
    if (isSkiffError(error)) throw error
    if (hasErrno(error, "ENOSPC", "EDQUOT")) throw error
    const why = stop.signal.aborted ? `nothing was received in ${Math.round(limits.stallMs / 1000)} s` : String(error)
    throw new Unavailable(`cannot fetch ${shown(url)}: ${why}`, { cause: error })
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new InvalidArgument(`cannot fetch ${JSON.stringify(shown(text))}: only http and https are`)
  return url
}

/** Without its password, for people. */
function shown(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, "$1")
}

/** As BuildKit: what the server calls it, else the last name of the path. Never more than a plain name. */
function fileName(response: Response, url: URL): string {
  const disposition = /filename="?([^";]+)"?/i.exec(response.headers.get("content-disposition") ?? "")?.[1]
  for (const text of [disposition, url.pathname]) {
    const name =
      decoded(text ?? "")
        .split("/")
        .at(-1) ?? ""
    if (name !== "" && name !== "." && name !== ".." && !name.includes("\0") && Buffer.byteLength(name) <= 255)
      return name
  }
  return "download"
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

interface StoreOptions {
  url: string
  checksum: Digest | undefined
  context: WorkContext
  limits: DownloadLimits
  timer: NodeJS.Timeout
}

/** Mode 0600 and the server's time, as BuildKit. A file that is not whole, or not the one wanted, is removed. */
async function store(response: Response, path: string, options: StoreOptions): Promise<void> {
  const fd = openSync(path, "wx", 0o600)
  try {
    const digest = await receive(response, fd, options)
    const { checksum, url } = options
    if (checksum !== undefined && digest !== checksum)
      throw new DataLoss(`digest mismatch for ${shown(url)}: it has ${digest}, not ${checksum}`, {
        hint: "correct the checksum of ADD if the file was meant to change",
      })
    const modified = Date.parse(response.headers.get("last-modified") ?? "")
    // buildkit source/http: without that time it is 1970
    const seconds = Number.isNaN(modified) ? 0 : modified / 1000
    futimesSync(fd, seconds, seconds)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

async function receive(response: Response, fd: number, options: StoreOptions): Promise<string> {
  const { url, checksum, context, limits, timer } = options
  const algorithm = checksum === undefined ? "sha256" : digestAlgorithm(checksum)
  const hash = createHash(algorithm)
  const total = Number(response.headers.get("content-length")) || undefined
  let received = 0
  let nextStatus = 0
  for await (const chunk of response.body ?? []) {
    timer.refresh()
    received += chunk.length
    if (received > limits.bytes) throw new DataLoss(`${shown(url)} has more than ${formatSize(limits.bytes)}`)
    hash.update(chunk)
    for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done)
    if (received < nextStatus) continue
    context.onProgress({
      id: shown(url),
      stage: "downloading",
      current: received,
      ...(total === undefined ? {} : { total }),
    })
    nextStatus = received + STATUS_EVERY_BYTES
  }
  if (total !== undefined && received !== total)
    throw new Unavailable(`${shown(url)} ended after ${received} of ${total} bytes`)
  return `${algorithm}:${hash.digest("hex")}`
}
