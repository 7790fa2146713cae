import { log } from "../../../base/log.ts"
import { TimeSlice } from "../../../base/time-slice.ts"
import type { ContentStore } from "../../../content/content.ts"
import type { Digest } from "../../../spec/digest.ts"
import { MAX_MANIFEST_BYTES } from "../../../spec/oci-image.ts"
import { manifestContent } from "../manifest-content.ts"
import type { GarbageOptions, NeededContent, RemovedGarbage } from "../server.ts"
import type { RepositoryFiles } from "./repository-files.ts"
import type { StoreLock } from "./store-lock.ts"
import { untaggedManifests, type FoundManifest } from "./untagged-manifests.ts"

/** An upload is kept a day so that it goes on after a cut line. */
const STALE_UPLOAD_MS = 24 * 60 * 60 * 1000

/** What is collected from. */
export interface CollectedStore {
  files: RepositoryFiles
  content: ContentStore
  lock: StoreLock
}

/**
 * Removes what nothing in the directory needs, while servers of it take pushes.
 *
 * Whoever says that a blob is there, links one or refers to one sets its time anew, under the lock; each removal looks at that time again,
 * under the same lock. So either the asker comes first, and the blob stays, or it hears truly that the blob is gone. Marking needs no lock:
 * what is linked while it goes on is too young to go. Killed anywhere, it has removed some garbage and nothing else.
 */
export async function collectGarbage(store: CollectedStore, options: GarbageOptions): Promise<RemovedGarbage> {
  const slice = new TimeSlice(options.signal)
  const pass = new Pass(store, options)
  for (const repository of store.files.allRepositories()) {
    await pass.repository(repository)
    if (slice.isOver) await slice.giveWay()
  }
  for (const blob of store.content.list()) {
    pass.blob(blob)
    if (slice.isOver) await slice.giveWay()
  }
  await store.content.removeStaleIngests({ olderThanMs: STALE_UPLOAD_MS, dryRun: options.dryRun })
  return pass.removed
}

/** One run over the directory, and what it has found so far. */
class Pass {
  readonly removed: RemovedGarbage = { manifests: 0, links: 0, blobs: 0, bytes: 0, uploads: 0 }
  readonly #store: CollectedStore
  readonly #options: GarbageOptions
  readonly #oldest: number
  /** What some repository has. */
  readonly #held = new Set<Digest>()

  constructor(store: CollectedStore, options: GarbageOptions) {
    this.#store = store
    this.#options = options
    this.#oldest = Date.now() - options.graceMs
  }

  async repository(repository: string): Promise<void> {
    const { files } = this.#store
    const all = await this.#manifests(repository)
    const gone = new Set(this.#options.untagged ? this.#removeUntagged(repository, all) : [])
    const referenced = new Set<Digest>()
    let isKnown = true
    for (const { digest, needed } of all) {
      if (gone.has(digest)) continue
      this.#held.add(digest)
      for (const blob of needed?.blobs ?? []) referenced.add(blob)
      isKnown &&= needed !== undefined
    }
    for (const { digest, usedAt } of files.blobs(repository)) {
      // what a manifest needs that cannot be read, nobody knows
      const isGarbage = isKnown && !referenced.has(digest) && this.#isOld(usedAt)
      if (isGarbage && this.#remove(() => this.#unlink(repository, digest))) this.removed.links++
      else this.#held.add(digest)
    }
    for (const { id, usedAt } of files.uploads(repository)) {
      if (Date.now() - usedAt.getTime() < STALE_UPLOAD_MS) continue
      if (this.#remove(() => files.removeUpload(repository, id))) this.removed.uploads++
    }
  }

  blob({ digest, size, createdAt }: { digest: Digest; size: number; createdAt: Date }): void {
    if (this.#held.has(digest) || !this.#isOld(createdAt)) return
    const { content } = this.#store
    const isGone = this.#remove(() => {
      // linked since the mark, it has a new time
      if (!content.has(digest) || !this.#isOld(content.info(digest).createdAt)) return false
      void content.delete(digest)
      return true
    })
    if (!isGone) return
    this.removed.blobs++
    this.removed.bytes += size
  }

  async #manifests(repository: string): Promise<FoundManifest[]> {
    const found: FoundManifest[] = []
    for (const { digest, usedAt } of this.#store.files.manifests(repository))
      found.push({ digest, usedAt, needed: await this.#neededBy(repository, digest) })
    return found
  }

  async #neededBy(repository: string, digest: Digest): Promise<NeededContent | undefined> {
    const { files, content } = this.#store
    try {
      const bytes = await content.readAll(digest, MAX_MANIFEST_BYTES)
      return manifestContent(bytes, files.manifestType(repository, digest) ?? "", digest).needed
    } catch (error) {
      // deleted meanwhile
      if (files.manifestType(repository, digest) === undefined) return { blobs: [], children: [] }
      const reason = error instanceof Error ? error.message : String(error)
      log.warn("no blob of this repository is collected: a manifest cannot be read", { repository, digest, reason })
      return undefined
    }
  }

  #removeUntagged(repository: string, all: readonly FoundManifest[]): Digest[] {
    const { files } = this.#store
    const tagged = files.tags(repository).flatMap((tag) => files.tag(repository, tag) ?? [])
    const young = all.filter(({ usedAt }) => !this.#isOld(usedAt)).map(({ digest }) => digest)
    const gone = untaggedManifests(all, [...tagged, ...young]).filter(({ digest, needed }) =>
      this.#remove(() => {
        // who sets a tag to it or lists it in an index has set its time before
        const usedAt = files.manifestUsedAt(repository, digest)
        if (usedAt === undefined || !this.#isOld(usedAt)) return false
        if (needed?.referrer !== undefined) files.removeReferrer(repository, needed.referrer.subject, digest)
        return files.removeManifest(repository, digest)
      }),
    )
    this.removed.manifests += gone.length
    return gone.map(({ digest }) => digest)
  }

  #unlink(repository: string, digest: Digest): boolean {
    const usedAt = this.#store.files.blobUsedAt(repository, digest)
    return usedAt !== undefined && this.#isOld(usedAt) && this.#store.files.unlinkBlob(repository, digest)
  }

  #isOld(usedAt: Date): boolean {
    return usedAt.getTime() <= this.#oldest
  }

  #remove(removal: () => boolean): boolean {
    return this.#options.dryRun ? true : this.#store.lock.during(removal)
  }
}
