/**
 * A registry in a bucket (its objects: bucket-objects.ts). What is under way is in a directory of this server, and comes into the bucket once its
 * digest was checked.
 */
import { byCodeUnit } from "../../../base/by-code-unit.ts"
import { NotFound } from "../../../base/errors.ts"
import { limiter } from "../../../base/limiter.ts"
import { log } from "../../../base/log.ts"
import type { ContentStore } from "../../../content/content.ts"
import { isDigest, type Digest } from "../../../spec/digest.ts"
import type { Descriptor } from "../../../spec/oci-image.ts"
import type { Bucket } from "../../../sys/net/bucket.ts"
import { manifestContent } from "../manifest-content.ts"
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
import {
  BucketObjects,
  byAge,
  REFRESH_MS,
  referrerKey,
  repositoryKey as key,
  versionKey,
  versionName,
  type Link,
} from "./bucket-objects.ts"
import type { DirectoryStore } from "./directory-store.ts"
import { flat, tagged } from "./store-words.ts"

/** Repositories to which a manifest was put: to find them by their own objects, all would have to be listed. */
const CATALOG = "catalog/"
/** Some buckets have no object whose key others go on from. */
const CATALOG_END = "/_"
/** Requests of one call that are under way at once. */
const AT_ONCE = 16
/** So long an upload that nobody goes on with is left, and what a killed server had on its way into the bucket: whoever sent it sends it again. */
const SPOOLED_MS = 24 * 60 * 60 * 1000
/** How often the spool is looked through for these. */
const SWEPT_MS = 60 * 60 * 1000

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
  readonly #objects: BucketObjects
  readonly #spool: DirectoryStore
  readonly #content: ContentStore
  /** Blobs on their way from the spool into the bucket: whoever sends the same at once waits for the first. */
  readonly #moving = new Map<Digest, Promise<void>>()
  /** Who ends an upload of a blob: the last one takes it out of the spool. */
  readonly #finishing = new Map<Digest, number>()
  #sweptAt = -Infinity
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor({ bucket, spool, content }: BucketStoreDeps) {
    this.#bucket = bucket
    this.#objects = new BucketObjects(bucket)
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
    for (const link of await this.#links(repository, digest)) {
      if (!(await this.#refreshed(repository, link))) continue
      const at = versionKey(link)
      const stat = await this.#bucket.stat(at)
      if (stat === undefined) continue
      const { size } = stat
      return {
        digest,
        size,
        read: ({ start, end = size } = { start: 0 }) => this.#bucket.read(at, { start, end: Math.min(end, size) }),
      }
    }
    return undefined
  }

  /** The newest first. A manifest is a blob, too. */
  async #links(repository: string, digest: Digest): Promise<Link[]> {
    const kinds = ["_layers", "_manifests"] as const
    const found = await Promise.all(kinds.map((kind) => this.#objects.links(repository, kind, digest)))
    return found.flat().toSorted(byAge)
  }

  /** Who is told that it is there may count on it: a new link follows an old one. False where that one is being collected. */
  async #refreshed(repository: string, link: Link): Promise<boolean> {
    if (await this.#isYoung(link)) return true
    const content = await this.#text(link.key)
    if (content === undefined) return false
    if ((await this.#objects.link(repository, { ...link, content })) !== undefined) return true
    // a version that a collection condemned just before it was linked: it stays while its link does
    return (await this.#bucket.stat(link.key)) !== undefined
  }

  async #isYoung({ changedAt }: Link): Promise<boolean> {
    return (await this.#objects.now()) - changedAt.getTime() < REFRESH_MS
  }

  /** Sees to it that the repository has a blob that stays with its link; false where it has none. */
  async #use(repository: string, digest: Digest): Promise<boolean> {
    const links = await this.#links(repository, digest)
    for (const link of links) {
      if ((await this.#isYoung(link)) && (await this.#objects.isKept(link))) return true
      const content = await this.#text(link.key)
      if (content !== undefined && (await this.#objects.link(repository, { ...link, content })) !== undefined)
        return true
    }
    return (await this.#rescued(repository, links)) !== undefined
  }

  /** Copies one that a collection has condemned just before it was linked: it may be removed. */
  async #rescued(repository: string, links: readonly Link[]): Promise<Link | undefined> {
    for (const { kind, digest, key: at, ...link } of links) {
      const from = versionKey({ digest, ...link })
      const [stat, content] = await Promise.all([this.#bucket.stat(from), this.#text(at)])
      if (stat === undefined || content === undefined) continue
      const put = (to: string) => this.#bucket.putStream(to, this.#bucket.read(from, { start: 0, end: stat.size }))
      return this.#objects.hold(repository, { kind, digest, size: stat.size, content, put })
    }
    return undefined
  }

  async manifest(repository: string, reference: ManifestReference): Promise<ServedManifest | undefined> {
    const digest = "digest" in reference ? reference.digest : await this.#tag(repository, reference.tag)
    if (digest === undefined) return undefined
    // these links first: any other blob may be too large for memory
    for (const link of await this.#objects.links(repository, "_manifests", digest)) {
      if ("digest" in reference && !(await this.#refreshed(repository, link))) continue
      const [mediaType, bytes] = await Promise.all([this.#text(link.key), this.#bucket.bytes(versionKey(link))])
      if (mediaType !== undefined && bytes !== undefined)
        return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
    }
    return undefined
  }

  async referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    const below = key(repository, "_referrers", flat(subject), "")
    // one that was put several times has several
    const names = new Map((await Array.fromAsync(this.#names(below))).map((name) => [name.split(".")[0], name]))
    const texts = await this.#each(names.values(), (name) => this.#text(below + name))
    return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Descriptor]))
  }

  startUpload(repository: string): Promise<Upload> {
    if (performance.now() - this.#sweptAt > SWEPT_MS) this.sweep().catch(() => {})
    return this.#spool.startUpload(repository)
  }

  /** Removes uploads that were given up, and what killed servers have left in the spool. */
  async sweep(options: Pick<GarbageOptions, "dryRun" | "signal"> = {}): Promise<RemovedGarbage> {
    this.#sweptAt = performance.now()
    const sweeping = this.#spool.collect({ ...options, graceMs: SPOOLED_MS })
    this.#sweeping = sweeping.catch((error: unknown) => {
      log.warn("the spool could not be swept", { reason: error instanceof Error ? error.message : String(error) })
    })
    return sweeping
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
      await this.#moving.get(digest)?.catch(() => {})
      const moving = this.#keep(repository, digest)
      this.#moving.set(digest, moving)
      await moving.finally(() => this.#moving.get(digest) === moving && this.#moving.delete(digest))
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

  async #keep(repository: string, digest: Digest): Promise<void> {
    const { size } = this.#content.info(digest)
    const put = (at: string) => this.#bucket.putFile(at, this.#content.path(digest), size)
    await this.#objects.hold(repository, { kind: "_layers", digest, size, content: "", put })
  }

  async mount(repository: string, from: string, digest: Digest): Promise<boolean> {
    for (const { version } of await this.#objects.links(from, "_layers", digest))
      if ((await this.#objects.link(repository, { kind: "_layers", content: "", digest, version })) !== undefined)
        return true
    return false
  }

  async putManifest(
    repository: string,
    { descriptor, bytes, needed, tag, keepsTag }: Parameters<RegistryWrites["putManifest"]>[1],
  ): Promise<void> {
    const { digest, mediaType } = descriptor
    const before = keepsTag && tag !== undefined ? await this.#tag(repository, tag) : undefined
    if (tag !== undefined && before !== undefined && before !== digest) throw tagged(tag, before)
    await this.#each(needed.children, (child) => this.#use(repository, child))
    const isThere = await this.#each(needed.blobs, (blob) => this.#use(repository, blob))
    const missing = needed.blobs.filter((_, index) => !isThere[index])
    if (missing.length > 0)
      throw new NotFound(`${missing.length} blobs of the manifest are not in repository ${repository}`, {
        data: { digests: missing },
      })
    const put = (at: string) => this.#bucket.put(at, bytes)
    const { referrer } = needed
    await this.#bucket.put(`${CATALOG}${repository}${CATALOG_END}`, "")
    const { id } = await this.#objects.hold(repository, {
      kind: "_manifests",
      digest,
      size: bytes.length,
      content: mediaType,
      put,
    })
    if (referrer !== undefined)
      await this.#bucket.put(
        referrerKey(repository, referrer.subject, referrer.descriptor.digest, id),
        JSON.stringify(referrer.descriptor),
      )
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
    const isGone = await this.#unlinked(repository, "_manifests", digest)
    if (found !== undefined) {
      const { referrer } = manifestContent(found.bytes, found.descriptor.mediaType, digest).needed
      if (referrer !== undefined) {
        const referring = this.#bucket.list(referrerKey(repository, referrer.subject, digest))
        await this.#each(referring, (object) => this.#bucket.remove(object.key))
      }
    }
    return isGone
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    const at = key(repository, "_tags", tag)
    if ((await this.#bucket.stat(at)) === undefined) return false
    await this.#bucket.remove(at)
    return true
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#unlinked(repository, "_layers", digest)
  }

  /** False when it was not there. */
  async #unlinked(repository: string, kind: Link["kind"], digest: Digest): Promise<boolean> {
    const links = await this.#objects.links(repository, kind, digest)
    await this.#each(links, (link) => this.#bucket.remove(link.key))
    return links.length > 0
  }

  async collect(options: GarbageOptions): Promise<RemovedGarbage> {
    const { collectBucket } = await import("./collect-bucket.ts")
    const { uploads } = await this.sweep(options)
    return { ...(await collectBucket(this.#objects, options)), uploads }
  }

  async usedBytes(isOf?: (repository: string) => boolean): Promise<number> {
    const linked = new Set<string>()
    if (isOf !== undefined) for await (const link of this.#objects.allLinks(isOf)) linked.add(versionName(link))
    let bytes = 0
    for await (const blob of this.#objects.blobs())
      if (isOf === undefined || linked.has(versionName(blob))) bytes += blob.size
    return bytes
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
    await this.#sweeping
    await this.#spool[Symbol.asyncDispose]()
  }
}
