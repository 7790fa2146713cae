/**
 * A registry that has what another one has: what is asked for is fetched from there once, kept, and given from here from then on, also while
 * the other cannot be reached. Nothing is pushed to it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Bytes } from "../../../base/bytes.ts"
import { isSkiffError } from "../../../base/errors.ts"
import { log } from "../../../base/log.ts"
import type { ByteRange, ContentStore, Ingest } from "../../../content/content.ts"
import type { Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import { parseManifest } from "../../../spec/parse-manifest.ts"
import type { RegistrySource, RemoteReference } from "../../registry.ts"
import type {
  GarbageOptions,
  ManifestReference,
  Page,
  PageRequest,
  RegistryStore,
  RemovedGarbage,
  ServedBlob,
  ServedManifest,
} from "../server.ts"
import type { DirectoryStore } from "./directory-store.ts"

/** Who waits while another fetches the same blob looks so often whether it is there. */
const POLL_MS = 100

/** What a proxy stands on. */
export interface ProxyStoreDeps {
  local: DirectoryStore
  /** The blobs of the same directory. */
  content: ContentStore
  /** Reads at the other registry. */
  source(): Promise<RegistrySource>
  /** The other registry's host. */
  upstream: string
}

/** A directory's content, and behind it another registry's. */
export class ProxyStore implements RegistryStore, AsyncDisposable {
  readonly #deps: ProxyStoreDeps

  constructor(deps: ProxyStoreDeps) {
    this.#deps = deps
  }

  repositories(page: PageRequest): Promise<Page> {
    return this.#deps.local.repositories(page)
  }

  /** As the other has them now, else those that were asked for. */
  async tags(repository: string, page: PageRequest): Promise<Page> {
    try {
      const all = await (await this.#deps.source()).tags(this.#ref(repository))
      const rest = all.toSorted().filter((tag) => tag > (page.last ?? ""))
      return { names: rest.slice(0, page.limit), hasMore: rest.length > page.limit }
    } catch (error) {
      if (!isSkiffError(error, "Unavailable")) throw error
      return this.#deps.local.tags(repository, page)
    }
  }

  async has(repository: string): Promise<boolean> {
    return this.#deps.local.has(repository)
  }

  /** A digest's is the same for ever; a tag is asked for each time, and is what it was where nobody answers. */
  async manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined> {
    const { local, source } = this.#deps
    const here = await local.manifest(repository, reference)
    if (here !== undefined && "digest" in reference) return here
    try {
      const found = await (await source()).resolve({ ...this.#ref(repository), ...reference })
      await local.keepManifest(repository, found, "tag" in reference ? reference.tag : undefined)
      return found
    } catch (error) {
      if (isSkiffError(error, "NotFound")) return undefined
      if (here === undefined) throw error
      log.warn("the registry behind this one does not answer: the manifest is what it was", { reason: String(error) })
      return here
    }
  }

  async blob(repository: string, digest: Digest): Promise<ServedBlob | undefined> {
    const here = await this.#deps.local.blob(repository, digest)
    if (here !== undefined) return here
    const descriptor = await this.#descriptor(repository, digest)
    if (descriptor === undefined) return undefined
    return { digest, size: descriptor.size, read: (range) => this.#read(repository, descriptor, range) }
  }

  referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    return this.#deps.local.referrers(repository, subject)
  }

  collect(options: GarbageOptions): Promise<RemovedGarbage> {
    return this.#deps.local.collect(options)
  }

  /** Blobs are asked for after the manifest that names them, which so is here. */
  async #descriptor(repository: string, digest: Digest): Promise<Descriptor | undefined> {
    const { local } = this.#deps
    for (const { digest: one } of local.files.manifests(repository)) {
      const manifest = await local.manifest(repository, { digest: one })
      if (manifest === undefined) continue
      const parsed = parseManifest(manifest.bytes, manifest.descriptor.mediaType, `manifest ${one}`)
      if (parsed.kind === "index") continue
      const found = [parsed.manifest.config, ...parsed.manifest.layers].find((blob) => blob.digest === digest)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Passed on as it comes, and kept; a part of it is given once all of it is here. */
  async *#read(repository: string, blob: Descriptor, range: ByteRange = { start: 0 }): Bytes {
    const { content, local } = this.#deps
    const isWhole = range.start === 0 && (range.end ?? blob.size) >= blob.size
    const ingest = await this.#ingest(blob.digest)
    if (ingest === undefined) {
      local.link(repository, blob.digest)
      return yield* content.read(blob.digest, range)
    }
    {
      await using held = ingest
      for await (const chunk of this.#fetch(repository, blob, held)) if (isWhole) yield chunk
      await held.commit({ digest: blob.digest, size: blob.size })
    }
    local.link(repository, blob.digest)
    if (!isWhole) yield* content.read(blob.digest, range)
  }

  /** Undefined once the blob is here: somebody else has fetched it meanwhile. */
  async #ingest(digest: Digest): Promise<Ingest | undefined> {
    const { content } = this.#deps
    for (;;) {
      if (content.has(digest)) return undefined
      try {
        return await content.ingest(`registry proxy ${digest}`)
      } catch (error) {
        if (!isSkiffError(error, "Unavailable")) throw error
        await sleep(POLL_MS)
      }
    }
  }

  /** What an earlier try has left comes first. */
  async *#fetch(repository: string, blob: Descriptor, ingest: Ingest): Bytes {
    const source = await this.#deps.source()
    const fetched = await source.fetch(this.#ref(repository), blob, ingest.offset)
    if (fetched.offset !== ingest.offset) await ingest.truncate()
    for await (const chunk of ingest.written()) yield Buffer.from(chunk)
    for await (const chunk of fetched.bytes) {
      await ingest.write(chunk)
      yield chunk
    }
  }

  #ref(repository: string): RemoteReference {
    const { upstream } = this.#deps
    const isOfficial = upstream === "docker.io" && !repository.includes("/")
    return { registry: upstream, repository: isOfficial ? `library/${repository}` : repository }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deps.local[Symbol.asyncDispose]()
  }
}
