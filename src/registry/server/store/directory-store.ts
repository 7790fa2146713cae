/** A registry in a directory: blobs as every store of ours has them, and beside them what belongs to which repository. */
import { FailedPrecondition, isSkiffError, NotFound } from "../../../base/errors.ts"
import { randomHex } from "../../../base/random-hex.ts"
import type { ContentStore } from "../../../content/content.ts"
import type { Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import { MAX_MANIFEST_BYTES } from "../../../spec/parse-manifest.ts"
import { manifestContent } from "../manifest-content.ts"
import type {
  ManifestReference,
  Page,
  PageRequest,
  RegistryStore,
  RegistryWrites,
  ServedBlob,
  ServedManifest,
  Upload,
} from "../server.ts"
import { OpenUploads } from "./open-uploads.ts"
import { RepositoryFiles } from "./repository-files.ts"

/** What the directory holds, and changes of it. */
export class DirectoryStore implements RegistryStore, RegistryWrites, AsyncDisposable {
  readonly files: RepositoryFiles
  readonly #content: ContentStore
  readonly #uploads: OpenUploads

  /** `content`: the blobs of the same directory. */
  constructor(root: string, content: ContentStore) {
    this.files = new RepositoryFiles(root)
    this.#content = content
    this.#uploads = new OpenUploads(content)
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
    const isLinked = this.files.hasBlob(repository, digest)
    // a manifest is a blob, too
    if (!isLinked && this.files.manifestType(repository, digest) === undefined) return undefined
    if (!this.#content.has(digest)) return undefined
    if (isLinked) this.files.linkBlob(repository, digest)
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
      if (expected !== undefined && expected !== ingest.offset)
        throw new FailedPrecondition(`upload ${id} holds ${ingest.offset} bytes, and is to go on from ${expected}`)
      for await (const chunk of body) await ingest.write(chunk)
      return ingest.offset
    })
  }

  async finish(repository: string, id: string, digest: Digest): Promise<void> {
    this.#mustHave(repository, id)
    try {
      await this.#uploads.with(id, async (ingest) => void (await ingest.commit({ digest })))
      this.files.linkBlob(repository, digest)
    } catch (error) {
      // where the disk was full, the bytes are still there to go on from
      if (!isSkiffError(error, "DataLoss")) throw error
      this.#over(repository, id)
      throw error
    }
    this.#over(repository, id)
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
    if (!this.files.hasBlob(from, digest) || !this.#content.has(digest)) return false
    this.files.linkBlob(from, digest)
    this.files.linkBlob(repository, digest)
    return true
  }

  async putManifest(
    repository: string,
    { descriptor, bytes, needed, tag }: Parameters<RegistryWrites["putManifest"]>[1],
  ): Promise<void> {
    const missing = needed.blobs.filter(
      (digest) => !this.files.hasBlob(repository, digest) || !this.#content.has(digest),
    )
    if (missing.length > 0)
      throw new NotFound(`${missing.length} blobs of the manifest are not in repository ${repository}`, {
        data: { digests: missing },
      })
    for (const digest of needed.blobs) this.files.linkBlob(repository, digest)
    await this.#store(bytes, descriptor.digest)
    if (needed.referrer !== undefined)
      this.files.addReferrer(repository, needed.referrer.subject, needed.referrer.descriptor)
    this.files.addManifest(repository, descriptor)
    // last: who asks for the tag finds all that it leads to
    if (tag !== undefined) this.files.setTag(repository, tag, descriptor.digest)
  }

  /** One whose blobs may come later: what another registry has. */
  async keepManifest(repository: string, { descriptor, bytes }: ServedManifest, tag?: string): Promise<void> {
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

  async #store(bytes: Uint8Array, digest: Digest): Promise<void> {
    if (this.#content.has(digest)) return
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
  }
}
