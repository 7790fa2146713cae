import { createHash } from "node:crypto"
import { DataLoss, isSkiffError, Unavailable, Unsupported, type SkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { isDigest, parseDigest, type Digest } from "../../spec/digest.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../../spec/oci-image.ts"
import { ACCEPTED_MANIFESTS } from "../../spec/parse-manifest.ts"
import type { RegistryTarget, RemoteReference, TargetOptions, Uploaded, UploadOptions } from "../registry.ts"
import { answerError } from "./answer-error.ts"
import { findCredentials } from "./credentials.ts"
import { Endpoint } from "./endpoint.ts"
import type { HttpLimits, HttpResponse } from "./http.ts"
import { locationsOf } from "./locations.ts"
import { checkOutgoing } from "./redirects.ts"
import { referrersTag, withReferrer } from "./referrers.ts"
import type { RegistriesConf } from "./registries-conf.ts"

// each costs a request and, where it fails, an upload that is begun for nothing
const MAX_MOUNT_TRIES = 3

/** Opens the registry that `ref` leads to for writing. */
export function openTarget(
  ref: RemoteReference,
  conf: RegistriesConf,
  options: TargetOptions,
  limits: HttpLimits,
): RegistryTarget {
  // mirrors come first, and are for reading
  const location = locationsOf({ ...ref, digest: undefined }, conf).at(-1)
  if (location === undefined) throw new Unavailable(`registries.conf has no location for "${ref.registry}"`)
  const { tlsVerify, authFile, certDir, signal } = options
  const { registry, repository } = location
  // where registries.conf gives the place another name, those of its neighbours are not known
  const isRenamed = registry !== ref.registry || repository !== ref.repository
  const mountFrom = isRenamed ? [] : (options.mountFrom ?? [])
  let hasCredentials = false
  const endpoint = new Endpoint(location, {
    tlsVerify,
    certDir,
    limits,
    signal,
    // one token for all that is to come: a mount with one that lacks its source would quietly not happen
    scopes: [
      `repository:${repository}:pull,push${options.deletes ? ",delete" : ""}`,
      ...mountFrom.map((from) => `repository:${from}:pull`),
    ],
    async credentials() {
      const stored = () => (options.onlyGiven ? undefined : findCredentials(registry, repository, { authFile, signal }))
      const found = options.credentials ?? (await stored())
      hasCredentials = found !== undefined
      return found
    },
  })
  const name = `${ref.registry}/${ref.repository}`
  return new HttpRegistryTarget(endpoint, name, mountFrom, limits, () => hasCredentials)
}

class HttpRegistryTarget implements RegistryTarget {
  readonly #endpoint: Endpoint
  readonly #name: string
  readonly #mountFrom: readonly string[]
  readonly #limits: HttpLimits
  readonly #hasCredentials: () => boolean

  constructor(
    endpoint: Endpoint,
    name: string,
    mountFrom: readonly string[],
    limits: HttpLimits,
    hasCredentials: () => boolean,
  ) {
    this.#endpoint = endpoint
    this.#name = name
    this.#mountFrom = mountFrom
    this.#limits = limits
    this.#hasCredentials = hasCredentials
  }

  async upload(
    descriptor: Descriptor,
    read: (offset: number) => AsyncIterable<Uint8Array>,
    { mountFrom = [], onProgress = () => {} }: UploadOptions = {},
  ): Promise<Uploaded> {
    const found = await this.#find(descriptor, mountFrom)
    if ("how" in found) return found
    await this.#send(descriptor, read, onProgress, found.session)
    return { how: "uploaded" }
  }

  async find(descriptor: Descriptor, mountFrom: readonly string[] = []): Promise<Uploaded | undefined> {
    const found = await this.#find(descriptor, mountFrom)
    if ("how" in found) return found
    if (found.session !== undefined) await this.#abandon(found.session)
    return undefined
  }

  /** There or mounted now; else the upload that a registry has begun instead of mounting. */
  async #find(descriptor: Descriptor, mountFrom: readonly string[]): Promise<Uploaded | { session: URL | undefined }> {
    if (await this.has(descriptor)) return { how: "there" }
    let session: URL | undefined
    for (const from of mountFrom.filter((each) => this.#mountFrom.includes(each)).slice(0, MAX_MOUNT_TRIES)) {
      const begun = await this.#begin({ mount: descriptor.digest, from })
      if (begun === undefined) return { how: "mounted", from }
      if (session !== undefined) await this.#abandon(session)
      session = begun
    }
    return { session }
  }

  async putManifest(bytes: Uint8Array, descriptor: Descriptor, tag?: string): Promise<void> {
    await this.#putManifest(bytes, descriptor, tag)
  }

  async digestOf(tag: string): Promise<Digest> {
    const what = `${this.#name}:${tag}`
    const headers = { accept: ACCEPTED_MANIFESTS.join(", ") }
    const response = await this.#endpoint.request({ to: `manifests/${tag}`, method: "GET", headers })
    if (response.status !== 200) throw await this.#refusal(what, response)
    const bytes = await response.bytes(MAX_MANIFEST_BYTES)
    return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
  }

  async remove(what: { tag: string } | { digest: Digest }): Promise<void> {
    const isTag = "tag" in what
    const reference = isTag ? what.tag : what.digest
    const response = await this.#endpoint.request({ to: `manifests/${reference}`, method: "DELETE" })
    const name = `${this.#name}${isTag ? ":" : "@"}${reference}`
    // distribution spec, "Deleting tags" and "Deleting Manifests": either may be disabled
    if (response.status === 405 || (isTag && response.status === 400)) {
      response.discard()
      const { host } = this.#endpoint
      throw new Unsupported(`${name}: ${host} deletes no ${isTag ? "tags without their manifests" : "manifests"}`)
    }
    if (response.status !== 202 && response.status !== 200 && response.status !== 204)
      throw await this.#refusal(name, response)
    response.discard()
  }

  async putReferrer(bytes: Uint8Array, descriptor: Descriptor, subject: Descriptor): Promise<void> {
    const { headers } = await this.#putManifest(bytes, descriptor)
    // distribution spec, "Pushing Manifests with Subject": without this answer the list is the client's to keep
    if (headers.get("oci-subject") !== null) return
    const tag = referrersTag(subject.digest)
    const list = withReferrer(await this.manifestAt(tag), descriptor)
    if (list !== undefined) await this.#putManifest(list.bytes, list.descriptor, tag)
  }

  async manifestAt(tag: string): Promise<Uint8Array | undefined> {
    const what = `${this.#name}:${tag}`
    const headers = { accept: ACCEPTED_MANIFESTS.join(", ") }
    const response = await this.#endpoint.request({ to: `manifests/${tag}`, method: "GET", headers })
    if (response.status === 404) return void response.discard()
    if (response.status !== 200) throw await this.#refusal(what, response)
    return await response.bytes(MAX_MANIFEST_BYTES)
  }

  async #putManifest(bytes: Uint8Array, { mediaType, digest }: Descriptor, tag?: string): Promise<HttpResponse> {
    const what = `${this.#name}${tag === undefined ? `@${digest}` : `:${tag}`}`
    const headers = { "content-type": mediaType }
    const response = await this.#endpoint.request({
      to: `manifests/${tag ?? digest}`,
      method: "PUT",
      headers,
      body: bytes,
    })
    if (response.status !== 201 && response.status !== 200) throw await this.#refusal(what, response)
    response.discard()
    const said = response.headers.get("docker-content-digest")
    if (isDigest(said) && said !== digest)
      throw new DataLoss(`${what}: ${response.url.host} stored a manifest with digest ${said}, expected ${digest}`)
    return response
  }

  async has({ digest, size }: Descriptor): Promise<boolean> {
    const response = await this.#endpoint.request({ to: `blobs/${digest}`, method: "HEAD" })
    response.discard()
    const length = response.headers.get("content-length")
    if (response.status === 200) return length === null || Number(length) === size
    if (response.status === 404) return false
    throw await this.#refusal(`${this.#name}: blob ${digest}`, response)
  }

  /** POSTs for an upload; gives its address, or undefined when the blob was mounted (distribution spec, "Mounting"). */
  async #begin(mount?: { mount: string; from: string }): Promise<URL | undefined> {
    const query = mount === undefined ? "" : `?${new URLSearchParams(mount).toString()}`
    const to = `blobs/uploads/${query}`
    const response = await this.#endpoint.request({ to, method: "POST", headers: { "content-length": "0" } })
    // what may not be mounted may still be sent
    if (mount !== undefined && [401, 403, 404].includes(response.status)) return this.#afterRefusedMount(response)
    if (response.status !== 202 && response.status !== 201) throw await this.#refusal(this.#name, response)
    response.discard()
    return response.status === 201 ? undefined : sessionOf(response)
  }

  async #afterRefusedMount(response: HttpResponse): Promise<URL | undefined> {
    response.discard()
    return await this.#begin()
  }

  async #abandon(session: URL): Promise<void> {
    const response = await this.#endpoint.request({ to: session, method: "DELETE", repeats: false })
    response.discard()
  }

  /** One PATCH of the whole, as all registries take it, then the PUT that names the digest. */
  async #send(
    descriptor: Descriptor,
    read: (offset: number) => AsyncIterable<Uint8Array>,
    onProgress: (sentBytes: number) => void,
    begun: URL | undefined,
  ): Promise<void> {
    const { digest, size } = descriptor
    let session = begun
    let offset = 0
    for (let failures = 0; ;) {
      try {
        session ??= await this.#mustBegin()
        if (offset < size) session = await this.#patch(session, descriptor, offset, read, onProgress)
        return await this.#finish(session, descriptor)
      } catch (error) {
        if (!isSkiffError(error, "Unavailable")) throw error
        log.info("upload was interrupted, resuming", { digest, error: String(error) })
        await this.#endpoint.pause(this.#limits.retryDelayMs * 2 ** failures)
        const rest = session && (await this.#progressOf(session, size).catch(() => undefined))
        // a line that breaks again and again, but takes something each time, is a slow line
        failures = rest !== undefined && rest.offset > offset ? 0 : failures + 1
        if (failures >= this.#limits.attempts) throw error
        session = rest?.session
        offset = rest?.offset ?? 0
      }
    }
  }

  async #mustBegin(): Promise<URL> {
    const session = await this.#begin()
    if (session === undefined) throw new Unavailable(`${this.#endpoint.host} did not start an upload for ${this.#name}`)
    return session
  }

  async #patch(
    session: URL,
    { digest, size }: Descriptor,
    offset: number,
    read: (offset: number) => AsyncIterable<Uint8Array>,
    onProgress: (sentBytes: number) => void,
  ): Promise<URL> {
    async function* sending(): AsyncGenerator<Uint8Array> {
      let sent = offset
      for await (const chunk of read(offset)) {
        yield chunk
        onProgress((sent += chunk.length))
      }
    }
    const response = await this.#endpoint.request({
      to: session,
      method: "PATCH",
      body: sending,
      repeats: false,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(size - offset),
        // docker sends none with a whole blob, and some registries know no other way
        ...(offset > 0 ? { "content-range": `${offset}-${size - 1}` } : {}),
      },
    })
    if (response.status !== 202 && response.status !== 204)
      throw await this.#refusal(`${this.#name}: blob ${digest}`, response)
    response.discard()
    return sessionOf(response)
  }

  async #finish(session: URL, { digest }: Descriptor): Promise<void> {
    const url = new URL(session)
    url.searchParams.set("digest", digest)
    const response = await this.#endpoint.request({ to: url, method: "PUT", headers: { "content-length": "0" } })
    if (response.status !== 201 && response.status !== 204)
      throw await this.#refusal(`${this.#name}: blob ${digest}`, response)
    response.discard()
  }

  /** How far the registry is with an upload that was cut; undefined when it knows nothing of it. */
  async #progressOf(session: URL, size: number): Promise<{ session: URL; offset: number } | undefined> {
    const response = await this.#endpoint.request({ to: session, method: "GET" })
    response.discard()
    if (response.status !== 204) return undefined
    const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("range") ?? "")?.[1]
    // `0-0` is said of one byte and of none: too little to go on from
    const offset = last === undefined || last === "0" ? undefined : Number(last) + 1
    return offset === undefined || offset > size ? undefined : { session: sessionOf(response), offset }
  }

  async #refusal(what: string, response: HttpResponse): Promise<SkiffError> {
    return await answerError(what, response, this.#hasCredentials())
  }
}

/** Where an upload goes on; the registry's word, so it must not lead to plain http or to where clouds keep secrets. */
function sessionOf(response: HttpResponse): URL {
  const from = response.url
  const location = response.headers.get("location")
  if (location === null || !URL.canParse(location, from.href))
    throw new Unavailable(`${from.host} started an upload without a location`)
  const url = new URL(location, from)
  url.username = url.password = ""
  checkOutgoing(url, `${from.host} leads`)
  // behind a proxy that ends TLS some say http of themselves; nothing of ours goes there in the clear
  if (from.protocol === "https:" && url.protocol === "http:") url.protocol = "https:"
  return url
}
