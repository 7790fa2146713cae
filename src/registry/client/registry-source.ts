import { createHash } from "node:crypto"
import { DataLoss, isSkiffError, SkiffError, Unavailable } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { digestAlgorithm, isDigest, parseDigest, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, MediaType, type Descriptor } from "../../spec/oci-image.ts"
import { ACCEPTED_MANIFESTS } from "../../spec/parse-manifest.ts"
import type { RegistryOptions, RegistrySource, RemoteReference } from "../registry.ts"
import { answerError } from "./answer-error.ts"
import { findCredentials } from "./credentials.ts"
import { Endpoint } from "./endpoint.ts"
import { send, type HttpLimits, type HttpResponse } from "./http.ts"
import { listTags } from "./list-tags.ts"
import { locationsOf, type Location } from "./locations.ts"
import { checkOutgoing } from "./redirects.ts"
import type { RegistriesConf } from "./registries-conf.ts"
import { tlsSettings } from "./tls.ts"

type Fetched = { offset: number; bytes: AsyncIterable<Uint8Array> }

/** A registry with its mirrors, for one pull. */
export class HttpRegistrySource implements RegistrySource {
  readonly #conf: RegistriesConf
  readonly #options: RegistryOptions
  readonly #limits: HttpLimits
  readonly #endpoints = new Map<string, KnownEndpoint[]>()

  constructor(conf: RegistriesConf, options: RegistryOptions, limits: HttpLimits) {
    this.#conf = conf
    this.#options = options
    this.#limits = limits
  }

  async resolve(ref: RemoteReference): Promise<{ descriptor: Descriptor; bytes: Uint8Array }> {
    const what = nameOf(ref)
    const path = `manifests/${ref.digest ?? ref.tag ?? "latest"}`
    return await this.#firstOf(ref, what, async ({ endpoint, hasCredentials }) => {
      const response = await endpoint.get(path, { accept: [...ACCEPTED_MANIFESTS, "*/*;q=0.1"].join(", ") })
      if (response.status !== 200) throw await answerError(what, response, hasCredentials())
      const bytes = await response.bytes(MAX_MANIFEST_BYTES)
      const digest = digestOf(bytes, ref.digest)
      checkSaid(what, response, ref.digest ?? response.headers.get("docker-content-digest"), digest)
      const mediaType = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? ""
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
    })
  }

  async fetch(ref: RemoteReference, descriptor: Descriptor, offset = 0): Promise<Fetched> {
    const what = `${nameOf(ref)}: blob ${descriptor.digest}`
    try {
      return await this.#firstOf(ref, what, async ({ endpoint, hasCredentials }) => {
        const response = await endpoint.get(`blobs/${descriptor.digest}`, rangeHeader(offset))
        return await this.#body(what, response, descriptor, offset, hasCredentials())
      })
    } catch (error) {
      if (!isSkiffError(error, "NotFound") || !isForeign(descriptor)) throw error
      return await this.#fetchForeign(what, descriptor, offset, error)
    }
  }

  async fetchRange(
    ref: RemoteReference,
    { digest, size }: Descriptor,
    { start, end }: { start: number; end: number },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const what = `${nameOf(ref)}: blob ${digest}`
    return await this.#firstOf(ref, what, async ({ endpoint, hasCredentials }) => {
      const response = await endpoint.get(`blobs/${digest}`, { range: `bytes=${start}-${end - 1}` })
      const { status, headers } = response
      if (status === 200 || status === 416) {
        response.discard()
        return undefined
      }
      if (status !== 206) throw await answerError(what, response, hasCredentials())
      const said = headers.get("content-range") ?? ""
      if (said === `bytes ${start}-${end - 1}/${size}` || said === `bytes ${start}-${end - 1}/*`)
        return exactly(response, end - start, what)
      response.discard()
      throw new DataLoss(
        `${what}: ${response.url.host} offers "${said.slice(0, 100)}" in the place of ${start}-${end - 1}`,
      )
    })
  }

  async tags(ref: Pick<RemoteReference, "registry" | "repository">): Promise<string[]> {
    const what = `tags of ${ref.registry}/${ref.repository}`
    return await this.#firstOf(ref, what, ({ endpoint, hasCredentials }) => listTags(endpoint, what, hasCredentials))
  }

  async referrers(ref: RemoteReference, subject: Digest): Promise<Descriptor[]> {
    const what = `referrers of ${subject} in ${ref.registry}/${ref.repository}`
    const { referrersTag, referrersIn } = await import("./referrers.ts")
    const bytes = await this.#firstOf(ref, what, async ({ endpoint, hasCredentials }) => {
      for (const path of [`referrers/${subject}`, `manifests/${referrersTag(subject)}`]) {
        const response = await endpoint.get(path, { accept: MediaType.ociIndex })
        if (response.status === 200) return await response.bytes(MAX_MANIFEST_BYTES)
        if (response.status !== 404) throw await answerError(what, response, hasCredentials())
        response.discard()
      }
      return undefined
    })
    return bytes === undefined ? [] : referrersIn(bytes)
  }

  /** A layer that its maker keeps elsewhere (`urls`): asked for without credentials, whatever that place answers. */
  async #fetchForeign(what: string, descriptor: Descriptor, offset: number, notFound: SkiffError): Promise<Fetched> {
    const { signal, tlsVerify } = this.#options
    for (const text of descriptor.urls ?? []) {
      const url = URL.canParse(text) ? new URL(text) : undefined
      if (url?.protocol !== "https:") continue
      checkOutgoing(url, `${what} leads`)
      url.username = url.password = ""
      const tls = { ...tlsSettings(url.host), ...(tlsVerify === false ? { rejectUnauthorized: false } : {}) }
      const response = await send({ url, headers: rangeHeader(offset), tls, signal }, this.#limits)
      return await this.#body(what, response, descriptor, offset, false)
    }
    throw notFound
  }

  async #body(
    what: string,
    response: HttpResponse,
    { size }: Descriptor,
    offset: number,
    hasCredentials: boolean,
  ): Promise<Fetched> {
    const { status, headers } = response
    // 416: what we hold is not a part of it, or all of it; begin again
    if (status === 416 && offset > 0) {
      response.discard()
      return { offset: 0, bytes: empty() }
    }
    if (status !== 200 && status !== 206) throw await answerError(what, response, hasCredentials)
    const start = status === 206 ? rangeStart(headers.get("content-range")) : 0
    const length = headers.get("content-length")
    if ((start !== 0 && start !== offset) || (length !== null && Number(length) !== size - start)) {
      response.discard()
      throw new DataLoss(
        `${what}: ${response.url.host} offers ${length ?? "?"} bytes from ${start} on, expected ${size - start}`,
      )
    }
    return { offset: start, bytes: exactly(response, size - start, what) }
  }

  /** Asks each place in turn, the one that answered last first; the error is that of the registry itself, or of all. */
  async #firstOf<T>(ref: RemoteReference, what: string, ask: (known: KnownEndpoint) => Promise<T>): Promise<T> {
    const endpoints = this.#endpointsFor(ref)
    const failures: unknown[] = []
    for (const known of endpoints) {
      try {
        const result = await ask(known)
        moveToFront(endpoints, known)
        return result
      } catch (error) {
        if (isSkiffError(error, "Cancelled")) throw error
        failures.push(named(error, what))
        log.info("registry failed", { host: known.endpoint.host, error: String(error) })
      }
    }
    if (failures.length === 1) throw failures[0]
    throw together(failures, what)
  }

  #endpointsFor(ref: RemoteReference): KnownEndpoint[] {
    const key = `${ref.registry}/${ref.repository}`
    let endpoints = this.#endpoints.get(key)
    if (!endpoints) {
      const locations = locationsOf(ref, this.#conf)
      endpoints = locations.map((location, index) => this.#open(location, index < locations.length - 1))
      this.#endpoints.set(key, endpoints)
    }
    return endpoints
  }

  #open(location: Location, isMirror: boolean): KnownEndpoint {
    const { tlsVerify, authFile, certDir, signal, onlyGiven = false } = this.#options
    // `--creds` are the user's for the registry he named, not for who mirrors it
    const given = isMirror ? undefined : this.#options.credentials
    let found = false
    const credentials = async () => {
      const { registry, repository } = location
      const stored = () => (onlyGiven ? undefined : findCredentials(registry, repository, { authFile, signal }))
      const result = given ?? (await stored())
      found = result !== undefined
      return result
    }
    const endpoint = new Endpoint(location, { tlsVerify, certDir, credentials, limits: this.#limits, signal })
    return { endpoint, hasCredentials: () => found }
  }
}

interface KnownEndpoint {
  endpoint: Endpoint
  hasCredentials(): boolean
}

function moveToFront<T>(list: T[], item: T): void {
  list.splice(list.indexOf(item), 1)
  list.unshift(item)
}

function nameOf({ registry, repository, tag, digest }: RemoteReference): string {
  return `${registry}/${repository}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`
}

/** The error, beginning with what was asked for. */
function named(error: unknown, what: string): unknown {
  if (!(error instanceof SkiffError) || error.message.startsWith(what)) return error
  return error.restated(`${what}: ${error.message}`, { cause: error.cause })
}

function together(failures: readonly unknown[], what: string): SkiffError {
  const own = failures.at(-1)
  const lines = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  const message = `${what}: ${lines.map((line) => line.replace(`${what}: `, "")).join("; ")}`
  const details = { cause: new AggregateError(failures) }
  return own instanceof SkiffError ? own.restated(message, details) : new Unavailable(message, details)
}

function rangeHeader(offset: number): Record<string, string> {
  return offset > 0 ? { range: `bytes=${offset}-` } : {}
}

function rangeStart(contentRange: string | null): number {
  return Number(/^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(contentRange ?? "")?.[1] ?? Number.NaN)
}

function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /\.(?:foreign\.|nondistributable\.)/.test(mediaType)
}

async function* empty(): AsyncGenerator<Uint8Array> {}

async function* exactly(response: HttpResponse, size: number, what: string): AsyncGenerator<Uint8Array> {
  let received = 0
  for await (const chunk of response.stream(size)) {
    received += chunk.length
    yield chunk
  }
  if (received !== size)
    throw new Unavailable(`${what}: ${response.url.host} sent ${received} bytes of ${size}, then ended`)
}

function digestOf(bytes: Uint8Array, like: Digest | undefined): Digest {
  const algorithm = like === undefined ? "sha256" : digestAlgorithm(like)
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`)
}

/** Throws DataLoss when the manifest is not the one that was asked for, or not the one the registry says it is. */
function checkSaid(what: string, { url }: HttpResponse, said: string | null, is: Digest): void {
  if (isDigest(said) && digestAlgorithm(said) === digestAlgorithm(is) && said !== is)
    throw new DataLoss(`${what}: ${url.host} sent a manifest with digest ${is}, expected ${said}`)
}
