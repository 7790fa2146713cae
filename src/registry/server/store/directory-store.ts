/** A registry in a directory: blobs as every store of ours has them, and beside them what belongs to which repository. */
import { FailedPrecondition, isSkiffError, NotFound, Unavailable } from "../../../base/errors.ts"
import { randomHex } from "../../../base/random-hex.ts"
import type { ContentStore } from "../../../content/content.ts"
import type { Digest } from "../../../spec/digest.ts"
import { countPassed } from "../../../sys/process/free-memory.ts"
import { MAX_MANIFEST_BYTES, type Descriptor } from "../../../spec/oci-image.ts"
import type {
  GarbageOptions,
  ManifestReference,
  Page,
  PageRequest,
  RegistryStore,
  RegistryWrites,
  RemovedGarbage,
  ServedBlob,
  ServedManifest,
  Upload,
} from "../server.ts"
import { OpenUploads } from "./open-uploads.ts"
import { RepositoryFiles } from "./repository-files.ts"
import { StoreLock } from "./store-lock.ts"
import { tagged } from "./store-words.ts"

/** While an upload's part comes in, its age begins anew so often. */
const TOUCH_UPLOAD_MS = 60_000

/** What the directory holds, and changes of it. */
export class DirectoryStore implements RegistryStore, RegistryWrites, AsyncDisposable {
  readonly files: RepositoryFiles
  readonly #content: ContentStore
  readonly #uploads: OpenUploads
  readonly #lock: StoreLock

  /** `content`: the blobs of the same directory. */
  constructor(root: string, content: ContentStore) {
    this.files = new RepositoryFiles(root)
    this.#content = content
    this.#uploads = new OpenUploads(content)
    this.#lock = new StoreLock(root)
  }

  get writes(): RegistryWrites {
    return this
  }

  async repositories({ last = "", limit }: PageRequest): Promise<Page> {
    const names: string[] = []
    for (const name of this.files.repositories()) {
      if (name <= last) continue
      if (names.length >= limit) return { names, hasMore: true }
      names.push(name)
    }
    return { names, hasMore: false }
  }

  async tags(repository: string, { last = "", limit }: PageRequest): Promise<Page> {
    if (!(await this.has(repository))) throw new NotFound(`no repository ${repository}`)
    const rest = this.files.tags(repository).filter((tag) => tag > last)
    return { names: rest.slice(0, limit), hasMore: rest.length > limit }
  }

  async has(repository: string): Promise<boolean> {
    return this.files.has(repository)
  }

  async blob(repository: string, digest: Digest): Promise<ServedBlob | undefined> {
    // a manifest is a blob, too
    if (!this.#use(repository, digest) && !this.#useManifest(repository, digest)) return undefined
    return {
      digest,
      size: this.#content.info(digest).size,
      path: this.#content.path(digest),
      read: (range) => this.#content.read(digest, range),
    }
  }

  async manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined> {
    const digest = "digest" in reference ? reference.digest : this.files.tag(repository, reference.tag)
    if (digest === undefined) return undefined
    if ("digest" in reference) this.#useManifest(repository, digest)
    const mediaType = this.files.manifestType(repository, digest)
    if (mediaType === undefined || !this.#content.has(digest)) return undefined
    const bytes = await this.#content.readAll(digest, MAX_MANIFEST_BYTES)
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
  }

  async referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    return this.files.referrers(repository, subject)
  }

  async startUpload(repository: string): Promise<Upload> {
    const id = randomHex(16)
    this.files.addUpload(repository, id)
    return { id, offset: 0 }
  }

  async upload(repository: string, id: string): Promise<Upload | undefined> {
    if (!this.files.hasUpload(repository, id)) return undefined
    return { id, offset: this.#uploads.offset(id) ?? (await this.#uploads.with(id, async ({ offset }) => offset)) }
  }

  async append(repository: string, id: string, body: AsyncIterable<Uint8Array>, expected?: number): Promise<number> {
    this.#mustHave(repository, id)
    return this.#uploads.with(id, async (ingest) => {
      this.#mustHave(repository, id)
      if (expected !== undefined && expected !== ingest.offset)
        throw new FailedPrecondition(`upload ${id} holds ${ingest.offset} bytes, and is to go on from ${expected}`)
      let touchedAt = 0
      for await (const chunk of body) {
        if (Date.now() - touchedAt > TOUCH_UPLOAD_MS) {
          this.files.touchUpload(repository, id)
          touchedAt = Date.now()
        }
        await ingest.write(chunk)
        countPassed(chunk.length)
      }
      return ingest.offset
    })
  }

  async finish(repository: string, id: string, digest: Digest): Promise<void> {
    this.#mustHave(repository, id)
    try {
      // an old blob of no repository, which garbage collection may be about to remove, is not removed after it was replaced
      this.#lock.during(() => this.#content.touch(digest))
      await this.#uploads.with(id, async (ingest) => {
        // of two who end it at once, one finds it over
        this.#mustHave(repository, id)
        await ingest.commit({ digest })
        if (!this.link(repository, digest)) throw new Unavailable(`blob ${digest} was deleted while it was pushed`)
        this.files.removeUpload(repository, id)
      })
    } catch (error) {
      // where the disk was full, the bytes are still there to go on from
      if (!isSkiffError(error, "DataLoss")) throw error
      this.#over(repository, id)
      throw error
    }
  }

  /** Who is told that it is there may count on it: garbage collection sees its new time, of the link and of the blob. */
  #use(repository: string, digest: Digest): boolean {
    return this.#lock.during(() => this.files.touchBlob(repository, digest) && this.#content.touch(digest))
  }

  #useManifest(repository: string, digest: Digest): boolean {
    return this.#lock.during(() => this.files.touchManifest(repository, digest) && this.#content.touch(digest))
  }

  /**
   * Says that a blob belongs to it; false when there is none. The blob's own time, too: a collection that has looked at this repository before
   * does not know of the link.
   */
  link(repository: string, digest: Digest): boolean {
    return this.#lock.during(() => {
      if (!this.#content.touch(digest)) return false
      this.files.linkBlob(repository, digest)
      return true
    })
  }

  #over(repository: string, id: string): void {
    this.#uploads.forget(id)
    this.files.removeUpload(repository, id)
  }

  async cancel(repository: string, id: string): Promise<boolean> {
    if (!this.files.hasUpload(repository, id)) return false
    await this.#uploads.with(id, (ingest) => ingest.discard())
    this.#uploads.forget(id)
    return this.files.removeUpload(repository, id)
  }

  async mount(repository: string, from: string, digest: Digest): Promise<boolean> {
    return this.files.hasBlob(from, digest) && this.link(repository, digest)
  }

  async putManifest(
    repository: string,
    { descriptor, bytes, needed, tag, keepsTag }: Parameters<RegistryWrites["putManifest"]>[1],
  ): Promise<void> {
    const before = keepsTag && tag !== undefined ? this.files.tag(repository, tag) : undefined
    if (tag !== undefined && before !== undefined && before !== descriptor.digest) throw tagged(tag, before)
    for (const digest of [descriptor.digest, ...needed.children]) this.#useManifest(repository, digest)
    const missing = needed.blobs.filter((digest) => !this.#use(repository, digest))
    if (missing.length > 0)
      throw new NotFound(`${missing.length} blobs of the manifest are not in repository ${repository}`, {
        data: { digests: missing },
      })
    await this.#store(bytes, descriptor.digest)
    if (needed.referrer !== undefined)
      this.files.addReferrer(repository, needed.referrer.subject, needed.referrer.descriptor)
    this.files.addManifest(repository, descriptor)
    // last: who asks for the tag finds all that it leads to
    if (tag === undefined) return
    if (!keepsTag) return this.files.setTag(repository, tag, descriptor.digest)
    if (!this.files.addTag(repository, tag, descriptor.digest))
      throw tagged(tag, this.files.tag(repository, tag) ?? "another manifest")
  }

  /** One whose blobs may come later: what another registry has. */
  async keepManifest(repository: string, { descriptor, bytes }: ServedManifest, tag?: string): Promise<void> {
    this.#useManifest(repository, descriptor.digest)
    await this.#store(bytes, descriptor.digest)
    this.files.addManifest(repository, descriptor)
    if (tag !== undefined) this.files.setTag(repository, tag, descriptor.digest)
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const found = await this.manifest(repository, { digest })
    for (const tag of this.files.tags(repository))
      if (this.files.tag(repository, tag) === digest) this.files.removeTag(repository, tag)
    const isGone = this.files.removeManifest(repository, digest)
    if (found !== undefined) {
      const { manifestContent } = await import("../manifest-content.ts")
      const { referrer } = manifestContent(found.bytes, found.descriptor.mediaType, digest).needed
      if (referrer !== undefined) this.files.removeReferrer(repository, referrer.subject, digest)
    }
    return isGone
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    return this.files.removeTag(repository, tag)
  }

  async deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.files.unlinkBlob(repository, digest)
  }

  async collect(options: GarbageOptions): Promise<RemovedGarbage> {
    const { collectGarbage } = await import("./collect-garbage.ts")
    return collectGarbage({ files: this.files, content: this.#content, lock: this.#lock }, options)
  }

  async usedBytes(isOf?: (repository: string) => boolean): Promise<number> {
    const { usedBytes } = await import("./used-bytes.ts")
    return usedBytes(this.files, this.#content, isOf)
  }

  async #store(bytes: Uint8Array, digest: Digest): Promise<void> {
    if (this.#lock.during(() => this.#content.touch(digest))) return
    // several may put the same at once: each by an ingest of its own
    await using ingest = await this.#content.ingest(`registry manifest ${digest} ${randomHex(8)}`)
    await ingest.write(bytes)
    await ingest.commit({ digest, size: bytes.length })
  }

  #mustHave(repository: string, id: string): void {
    if (!this.files.hasUpload(repository, id)) throw new NotFound(`no upload ${id} in repository ${repository}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#uploads[Symbol.asyncDispose]()
    this.#lock[Symbol.dispose]()
  }
}
