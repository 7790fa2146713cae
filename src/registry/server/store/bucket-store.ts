/**
 * A registry in a bucket: objects by the names that a registry's directory has for its files (repository-files.ts). What is under way is in a
 * directory of this server, and comes into the bucket once its digest was checked.
 */
import { byCodeUnit } from "../../../base/by-code-unit.ts"
import { NotFound } from "../../../base/errors.ts"
import { limiter } from "../../../base/limiter.ts"
import type { ContentStore } from "../../../content/content.ts"
import { digestAlgorithm, digestHex, isDigest, type Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import type { Bucket } from "../../../sys/net/bucket.ts"
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
import type { DirectoryStore } from "./directory-store.ts"
import { flat, tagged } from "./store-words.ts"

/** Repositories to which a manifest was put: to find them by their own objects, all would have to be listed. */
const CATALOG = "catalog/"
/** Some buckets have no object whose key others go on from. */
const CATALOG_END = "/_"
/** Requests of one call that are under way at once. */
const AT_ONCE = 16

/** What it stands on. */
export interface BucketStoreDeps {
  bucket: Bucket
  /** Takes uploads, and has nothing else. */
  spool: DirectoryStore
  /** The blobs of the spool's directory. */
  content: ContentStore
}

/** What the bucket holds, and changes of it. A bucket has no locks: a change is one object, and the last one leads to the others. */
export class BucketStore implements RegistryStore, RegistryWrites, AsyncDisposable {
  readonly #bucket: Bucket
  readonly #spool: DirectoryStore
  readonly #content: ContentStore
  /** Blobs on their way from the spool into the bucket. */
  readonly #moving = new Map<Digest, Promise<void>>()
  /** Who ends an upload of a blob: the last one takes it out of the spool. */
  readonly #finishing = new Map<Digest, number>()

  constructor({ bucket, spool, content }: BucketStoreDeps) {
    this.#bucket = bucket
    this.#spool = spool
    this.#content = content
  }

  get writes(): RegistryWrites {
    return this
  }

  async repositories({ last = "", limit }: PageRequest): Promise<Page> {
    const all = await Array.fromAsync(this.#names(CATALOG))
    const rest = all.map((name) => name.slice(0, -CATALOG_END.length)).filter((name) => name > last)
    const names: string[] = []
    for (const name of rest.toSorted(byCodeUnit)) {
      if (!(await this.has(name))) continue
      if (names.length >= limit) return { names, hasMore: true }
      names.push(name)
    }
    return { names, hasMore: false }
  }

  async tags(repository: string, { last, limit }: PageRequest): Promise<Page> {
    const below = key(repository, "_tags", "")
    const names: string[] = []
    const after = last === undefined || last === "" ? {} : { after: below + last }
    for await (const name of this.#names(below, after)) {
      if (names.length >= limit) return { names, hasMore: true }
      names.push(name)
    }
    if (names.length === 0 && !(await this.has(repository))) throw new NotFound(`no repository ${repository}`)
    return { names, hasMore: false }
  }

  async has(repository: string): Promise<boolean> {
    for await (const _ of this.#bucket.list(key(repository, "_manifests", ""))) return true
    return false
  }

  async blob(repository: string, digest: Digest): Promise<ServedBlob | undefined> {
    const path = blobKey(digest)
    const [stat, ...owned] = await Promise.all([this.#bucket.stat(path), ...this.#ownership(repository, digest)])
    if (stat === undefined || owned.every((each) => each === undefined)) return undefined
    const { size } = stat
    return {
      digest,
      size,
      read: ({ start, end = size } = { start: 0 }) => this.#bucket.read(path, { start, end: Math.min(end, size) }),
    }
  }

  /** A manifest is a blob, too. */
  #ownership(repository: string, digest: Digest): Promise<unknown>[] {
    return ["_layers", "_manifests"].map((kind) => this.#bucket.stat(key(repository, kind, ...words(digest))))
  }

  async manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined> {
    const digest = "digest" in reference ? reference.digest : await this.#tag(repository, reference.tag)
    if (digest === undefined) return undefined
    // first: any other blob may be too large for memory
    const mediaType = await this.#text(key(repository, "_manifests", ...words(digest)))
    const bytes = mediaType === undefined ? undefined : await this.#bucket.bytes(blobKey(digest))
    if (mediaType === undefined || bytes === undefined) return undefined
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
  }

  async referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    const below = key(repository, "_referrers", flat(subject), "")
    const texts = await this.#each(this.#names(below), (name) => this.#text(below + name))
    return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Descriptor]))
  }

  startUpload(repository: string): Promise<Upload> {
    return this.#spool.startUpload(repository)
  }

  upload(repository: string, id: string): Promise<Upload | undefined> {
    return this.#spool.upload(repository, id)
  }

  append(repository: string, id: string, body: AsyncIterable<Uint8Array>, expected?: number): Promise<number> {
    return this.#spool.append(repository, id, body, expected)
  }

  cancel(repository: string, id: string): Promise<boolean> {
    return this.#spool.cancel(repository, id)
  }

  async finish(repository: string, id: string, digest: Digest): Promise<void> {
    this.#finishing.set(digest, (this.#finishing.get(digest) ?? 0) + 1)
    try {
      await this.#spool.finish(repository, id, digest)
      await this.#toBucket(digest)
      await this.#link(repository, digest)
    } finally {
      // where the bucket did not answer, the sender begins anew
      await this.#forget(repository, digest)
    }
  }

  /** Not while somebody has just been told that the spool has it, and is about to move it. */
  async #forget(repository: string, digest: Digest): Promise<void> {
    this.#spool.files.unlinkBlob(repository, digest)
    const others = (this.#finishing.get(digest) ?? 1) - 1
    if (others > 0) return void this.#finishing.set(digest, others)
    this.#finishing.delete(digest)
    await this.#content.delete(digest)
  }

  /** Whoever sends the same blob at once waits for the first. */
  #toBucket(digest: Digest): Promise<void> {
    const moving = this.#moving.get(digest) ?? this.#move(digest).finally(() => this.#moving.delete(digest))
    this.#moving.set(digest, moving)
    return moving
  }

  async #move(digest: Digest): Promise<void> {
    const { size } = this.#content.info(digest)
    const there = await this.#bucket.stat(blobKey(digest))
    if (there?.size !== size) await this.#bucket.putFile(blobKey(digest), this.#content.path(digest), size)
  }

  #link(repository: string, digest: Digest): Promise<void> {
    return this.#bucket.put(key(repository, "_layers", ...words(digest)), "")
  }

  async mount(repository: string, from: string, digest: Digest): Promise<boolean> {
    if ((await this.#bucket.stat(key(from, "_layers", ...words(digest)))) === undefined) return false
    await this.#link(repository, digest)
    return true
  }

  async putManifest(
    repository: string,
    { descriptor, bytes, needed, tag, keepsTag }: Parameters<RegistryWrites["putManifest"]>[1],
  ): Promise<void> {
    const { digest, mediaType } = descriptor
    const before = keepsTag && tag !== undefined ? await this.#tag(repository, tag) : undefined
    if (tag !== undefined && before !== undefined && before !== digest) throw tagged(tag, before)
    const found = await this.#each(needed.blobs, (blob) => this.blob(repository, blob))
    const missing = needed.blobs.filter((_, index) => found[index] === undefined)
    if (missing.length > 0)
      throw new NotFound(`${missing.length} blobs of the manifest are not in repository ${repository}`, {
        data: { digests: missing },
      })
    await this.#bucket.put(blobKey(digest), bytes)
    const { referrer } = needed
    if (referrer !== undefined)
      await this.#bucket.put(
        referrerKey(repository, referrer.subject, referrer.descriptor.digest),
        JSON.stringify(referrer.descriptor),
      )
    await this.#bucket.put(`${CATALOG}${repository}${CATALOG_END}`, "")
    await this.#bucket.put(key(repository, "_manifests", ...words(digest)), mediaType)
    // last: who asks for the tag finds all that it leads to
    if (tag === undefined || before === digest) return
    const at = key(repository, "_tags", tag)
    if (!keepsTag) return this.#bucket.put(at, digest)
    if (await this.#bucket.putNew(at, digest)) return
    const now = await this.#tag(repository, tag)
    if (now !== digest) throw tagged(tag, now ?? "another manifest")
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const found = await this.manifest(repository, { digest })
    const below = key(repository, "_tags", "")
    await this.#each(this.#names(below), async (tag) => {
      if ((await this.#tag(repository, tag)) === digest) await this.#bucket.remove(below + tag)
    })
    const isGone = await this.#removed(key(repository, "_manifests", ...words(digest)))
    if (found !== undefined) {
      const { referrer } = manifestContent(found.bytes, found.descriptor.mediaType, digest).needed
      if (referrer !== undefined) await this.#bucket.remove(referrerKey(repository, referrer.subject, digest))
    }
    return isGone
  }

  deleteTag(repository: string, tag: string): Promise<boolean> {
    return this.#removed(key(repository, "_tags", tag))
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#removed(key(repository, "_layers", ...words(digest)))
  }

  /** False when it was not there. */
  async #removed(at: string): Promise<boolean> {
    if ((await this.#bucket.stat(at)) === undefined) return false
    await this.#bucket.remove(at)
    return true
  }

  /** What follows in the keys that begin so. */
  async *#names(below: string, options: { after?: string } = {}): AsyncGenerator<string> {
    for await (const { key: at } of this.#bucket.list(below, options)) yield at.slice(below.length)
  }

  async #each<T, R>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<R>): Promise<R[]> {
    const limit = limiter(AT_ONCE)
    return Promise.all((await Array.fromAsync(items)).map((item) => limit(() => work(item))))
  }

  async #tag(repository: string, tag: string): Promise<Digest | undefined> {
    const digest = await this.#text(key(repository, "_tags", tag))
    return isDigest(digest) ? digest : undefined
  }

  async #text(at: string): Promise<string | undefined> {
    const bytes = await this.#bucket.bytes(at)
    return bytes && Buffer.from(bytes).toString()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool[Symbol.asyncDispose]()
  }
}

function key(repository: string, ...rest: string[]): string {
  return ["repositories", repository, ...rest].join("/")
}

function words(digest: Digest): [string, string] {
  return [digestAlgorithm(digest), digestHex(digest)]
}

function blobKey(digest: Digest): string {
  return ["blobs", ...words(digest)].join("/")
}

function referrerKey(repository: string, subject: Digest, digest: Digest): string {
  return key(repository, "_referrers", flat(subject), flat(digest))
}
