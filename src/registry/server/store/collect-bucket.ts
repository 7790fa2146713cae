import { limiter } from "../../../base/limiter.ts"
import { log } from "../../../base/log.ts"
import { randomHex } from "../../../base/random-hex.ts"
import type { Digest } from "../../../spec/digest.ts"
import { isDigest } from "../../../spec/digest.ts"
import { manifestContent } from "../manifest-content.ts"
import type { GarbageOptions, NeededContent, RemovedGarbage } from "../server.ts"
import {
  byAge,
  REFRESH_MS,
  repositoryKey,
  versionKey,
  versionName,
  type BlobVersion,
  type BucketObjects,
  type Link,
  type RepositoryObjects,
} from "./bucket-objects.ts"
import { untaggedManifests, type FoundManifest } from "./untagged-manifests.ts"

/** What a killed collection condemned is free again after so long. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000
/** A collection that took longer (its machine slept) removes nothing more. */
const LASTS_MS = 60 * 60 * 1000
const AT_ONCE = 16

/**
 * Removes what nothing in the bucket needs, while servers of it take pushes, by the order that bucket-objects.ts tells: links by their age, blobs after
 * they were condemned. Stopped or killed anywhere, it has removed some garbage and nothing else.
 */
export async function collectBucket(objects: BucketObjects, options: GarbageOptions): Promise<RemovedGarbage> {
  const graceMs = options.graceMs === 0 ? 0 : options.graceMs + REFRESH_MS
  const pass = new Pass(objects, options, (await objects.now()) - graceMs)
  for await (const repository of objects.repositories()) await pass.repository(repository)
  await pass.blobs()
  return pass.removed
}

/** One run over the bucket, and what it has found so far. */
class Pass {
  readonly removed: RemovedGarbage = { manifests: 0, links: 0, blobs: 0, bytes: 0, uploads: 0 }
  readonly #objects: BucketObjects
  readonly #options: GarbageOptions
  readonly #oldest: number
  /** Versions to which a link leads. */
  readonly #held = new Set<string>()

  constructor(objects: BucketObjects, options: GarbageOptions, oldest: number) {
    this.#objects = objects
    this.#options = options
    this.#oldest = oldest
  }

  async repository({ name, links, tags, referrers }: RepositoryObjects): Promise<void> {
    const layers = links.filter(({ kind }) => kind === "_layers")
    const records = links.filter(({ kind }) => kind === "_manifests")
    const all = await this.#manifests(name, records)
    const untagged = new Set(this.#options.untagged ? await this.#untagged(name, tags, all) : [])
    const needed = new Set(all.flatMap((one) => (untagged.has(one.digest) ? [] : (one.needed?.blobs ?? []))))
    const isKnown = all.every((one) => one.needed !== undefined || untagged.has(one.digest))
    // what a manifest needs that cannot be read, nobody knows
    const isGarbage = (link: Link) => isKnown && !needed.has(link.digest)
    const gone = [
      ...(await this.#surplus(records, ({ digest }) => untagged.has(digest))),
      ...(await this.#surplus(layers, isGarbage)),
    ]
    const left = new Set(links.filter((link) => !gone.includes(link)))
    for (const link of left) this.#held.add(versionName(link))
    await this.#remove(gone.map(({ key }) => key))
    const isLeft = new Set([...left].map(({ kind, digest }) => `${kind} ${digest}`))
    const ended = new Set(gone.map(({ kind, digest }) => `${kind} ${digest}`).filter((one) => !isLeft.has(one)))
    for (const one of ended) this.removed[one.startsWith("_manifests ") ? "manifests" : "links"]++
    const recordIds = new Set([...left].filter(({ kind }) => kind === "_manifests").map(({ id }) => id))
    // of a manifest that went, or that a killed server never linked
    const lost = referrers.filter(({ id, changedAt }) => !recordIds.has(id) && this.#isOld(changedAt))
    await this.#remove(lost.map(({ key }) => key))
  }

  /** Old links: of what is garbage all, of the rest those that a newer one follows. */
  async #surplus(links: readonly Link[], isGarbage: (link: Link) => boolean): Promise<Link[]> {
    const found = await this.#each([...Map.groupBy(links, ({ digest }) => digest).values()], async (same) => {
      const [newest, ...older] = same.toSorted(byAge) as [Link, ...Link[]]
      const old = [newest, ...older].filter(({ changedAt }) => this.#isOld(changedAt))
      if (isGarbage(newest)) return old
      // a server that was killed may have linked a version that is gone: then an older link is the good one
      const isOne = older.every(({ version }) => version === newest.version)
      return isOne || (await this.#objects.isKept(newest)) ? old.filter((link) => link !== newest) : []
    })
    return found.flat()
  }

  async #manifests(repository: string, records: readonly Link[]): Promise<FoundManifest[]> {
    return this.#each([...Map.groupBy(records, ({ digest }) => digest)], async ([digest, same]) => {
      const [newest] = same.toSorted(byAge) as [Link, ...Link[]]
      return { digest, usedAt: newest.changedAt, needed: await this.#neededBy(repository, same) }
    })
  }

  async #neededBy(repository: string, records: readonly Link[]): Promise<NeededContent | undefined> {
    const { bucket } = this.#objects
    for (const record of records) {
      const [type, bytes] = await Promise.all([bucket.bytes(record.key), bucket.bytes(versionKey(record))])
      if (bytes === undefined) continue
      try {
        // the type of a record that was deleted meanwhile is the document's own
        return manifestContent(bytes, Buffer.from(type ?? []).toString(), record.digest).needed
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log.warn("a manifest cannot be read", { repository, digest: record.digest, reason })
      }
    }
    const isDeleted = (await this.#each(records, ({ key }) => bucket.stat(key))).every((stat) => stat === undefined)
    if (isDeleted) return { blobs: [], children: [] }
    log.warn("no blob of this repository is collected: a manifest cannot be read", { repository })
    return undefined
  }

  async #untagged(repository: string, tags: readonly string[], all: readonly FoundManifest[]): Promise<Digest[]> {
    const tagged = await this.#each(tags, async (tag) => {
      const bytes = await this.#objects.bucket.bytes(repositoryKey(repository, "_tags", tag))
      const digest = bytes && Buffer.from(bytes).toString()
      return isDigest(digest) ? [digest] : []
    })
    const young = all.filter(({ usedAt }) => !this.#isOld(usedAt)).map(({ digest }) => digest)
    return untaggedManifests(all, [...tagged.flat(), ...young]).map(({ digest }) => digest)
  }

  async blobs(): Promise<void> {
    const old: (BlobVersion & { size: number })[] = []
    for await (const blob of this.#objects.blobs())
      if (!this.#held.has(versionName(blob)) && this.#isOld(blob.changedAt)) old.push(blob)
    if (this.#options.dryRun) return this.#count(old)
    await this.#forget()
    if (old.length === 0) return
    const collection = randomHex(8)
    const began = performance.now()
    await this.#each(old, (blob) => this.#objects.condemn(blob, collection))
    // who has linked one before it was condemned is seen now; who does it later sees that it is
    const linked = new Set<string>()
    for await (const link of this.#objects.allLinks()) linked.add(versionName(link))
    await this.#each(old, async (blob) => {
      if (!linked.has(versionName(blob)) && performance.now() - began < LASTS_MS) {
        await this.#objects.bucket.remove(versionKey(blob))
        this.#count([blob])
      }
      await this.#objects.pardon(blob, collection)
    })
  }

  #count(blobs: readonly { size: number }[]): void {
    this.removed.blobs += blobs.length
    this.removed.bytes += blobs.reduce((sum, { size }) => sum + size, 0)
  }

  /** Who was killed does not come back to what it has condemned. */
  async #forget(): Promise<void> {
    const oldest = (await this.#objects.now()) - FORGOTTEN_MS
    const forgotten: string[] = []
    for await (const { key, changedAt } of this.#objects.condemned())
      if (changedAt.getTime() < oldest) forgotten.push(key)
    await this.#remove(forgotten)
  }

  async #remove(keys: readonly string[]): Promise<void> {
    if (!this.#options.dryRun) await this.#each(keys, (key) => this.#objects.bucket.remove(key))
  }

  #isOld(changedAt: Date): boolean {
    return changedAt.getTime() <= this.#oldest
  }

  async #each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const { signal } = this.#options
    const limit = limiter(AT_ONCE)
    return Promise.all(
      items.map((item) =>
        limit(() => {
          signal?.throwIfAborted()
          return work(item)
        }),
      ),
    )
  }
}
