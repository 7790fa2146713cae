/** A store of which some tags keep what they lead to, and that takes no more than it may. */
import { isSkiffError } from "../../base/errors.ts"
import type { Digest } from "../../spec/digest.ts"
import { RegistryError } from "./answers.ts"
import { isImmutable, type Limits } from "./limits.ts"
import { Quotas } from "./quotas.ts"
import type { GarbageOptions, RegistryStore, RegistryWrites, Upload } from "./server.ts"

/** Uploads that nobody went on with hold no room for longer. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000
const TAGS_AT_ONCE = 1000

/** The same store within its limits. What cannot be changed needs none. */
export function limitedStore(store: RegistryStore, limits: Limits): RegistryStore {
  if (store.writes === undefined) return store
  return {
    repositories: (page) => store.repositories(page),
    tags: (repository, page) => store.tags(repository, page),
    has: (repository) => store.has(repository),
    blob: (repository, digest) => store.blob(repository, digest),
    manifest: (repository, reference) => store.manifest(repository, reference),
    referrers: (repository, subject) => store.referrers(repository, subject),
    ...(store.collect && { collect: (options: GarbageOptions) => store.collect?.(options) }),
    ...(store.usedBytes && { usedBytes: (isOf?: (repository: string) => boolean) => store.usedBytes?.(isOf) }),
    writes: new LimitedWrites(store, store.writes, limits),
  } as RegistryStore
}

class LimitedWrites implements RegistryWrites {
  readonly #store: RegistryStore
  readonly #writes: RegistryWrites
  readonly #immutable: NonNullable<Limits["immutable"]>
  readonly #quotas: Quotas
  /** Room that uploads have taken, the oldest first. */
  readonly #uploads = new Map<string, { repository: string; bytes: number; startedAt: number }>()

  constructor(store: RegistryStore, writes: RegistryWrites, { immutable = [], quotas = [] }: Limits) {
    this.#store = store
    this.#writes = writes
    this.#immutable = immutable
    this.#quotas = new Quotas(store, quotas)
  }

  mustHaveRoom(repository: string, bytes: number): Promise<void> {
    return this.#quotas.mustHaveRoom(repository, bytes)
  }

  async startUpload(repository: string): Promise<Upload> {
    for (const [id, { startedAt }] of this.#uploads) {
      if (performance.now() - startedAt < FORGOTTEN_MS) break
      this.#forget(id)
    }
    return this.#writes.startUpload(repository)
  }

  upload(repository: string, id: string): Promise<Upload | undefined> {
    return this.#writes.upload(repository, id)
  }

  append(repository: string, id: string, body: AsyncIterable<Uint8Array>, expected?: number): Promise<number> {
    return this.#writes.append(repository, id, this.#counted(repository, id, body), expected)
  }

  async *#counted(repository: string, id: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of body) {
      await this.#quotas.take(repository, chunk.length)
      const upload = this.#uploads.get(id) ?? { repository, bytes: 0, startedAt: performance.now() }
      upload.bytes += chunk.length
      this.#uploads.set(id, upload)
      yield chunk
    }
  }

  async finish(repository: string, id: string, digest: Digest): Promise<void> {
    try {
      await this.#writes.finish(repository, id, digest)
    } catch (error) {
      if (isSkiffError(error, "DataLoss")) this.#forget(id)
      throw error
    }
    this.#quotas.stored(repository, this.#uploads.get(id)?.bytes ?? 0)
    this.#uploads.delete(id)
  }

  async cancel(repository: string, id: string): Promise<boolean> {
    this.#forget(id)
    return this.#writes.cancel(repository, id)
  }

  #forget(id: string): void {
    const { repository, bytes } = this.#uploads.get(id) ?? { repository: "", bytes: 0 }
    if (bytes > 0) this.#quotas.giveBack(repository, bytes)
    this.#uploads.delete(id)
  }

  async mount(repository: string, from: string, digest: Digest): Promise<boolean> {
    const blob = await this.#store.blob(from, digest)
    if (blob === undefined) return false
    // what it has already, it may have
    const isThere = (await this.#store.blob(repository, digest)) !== undefined
    if (!isThere) await this.#quotas.mustHaveRoom(repository, blob.size)
    return this.#writes.mount(repository, from, digest)
  }

  async putManifest(repository: string, manifest: Parameters<RegistryWrites["putManifest"]>[1]): Promise<void> {
    const { tag, bytes } = manifest
    const keepsTag = tag !== undefined && isImmutable(this.#immutable, repository, tag)
    await this.#quotas.mustHaveRoom(repository, bytes.length)
    try {
      await this.#writes.putManifest(repository, { ...manifest, keepsTag })
    } catch (error) {
      if (!isSkiffError(error, "AlreadyExists")) throw error
      throw new RegistryError("DENIED", `${error.message}, and is immutable`, { tag })
    }
  }

  async deleteManifest(repository: string, digest: Digest): Promise<boolean> {
    const tag = await this.#immutableTagOf(repository, digest)
    if (tag !== undefined) throw new RegistryError("DENIED", `tag "${tag}" leads to it, and is immutable`, { tag })
    return this.#writes.deleteManifest(repository, digest)
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    if (
      isImmutable(this.#immutable, repository, tag) &&
      (await this.#store.manifest(repository, { tag })) !== undefined
    )
      throw new RegistryError("DENIED", `tag "${tag}" is immutable`, { tag })
    return this.#writes.deleteTag(repository, tag)
  }

  /** A layer of an immutable tag's image is as immutable. */
  async deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    if (this.#immutable.length > 0 && (await this.#store.blob(repository, digest)) !== undefined)
      throw new RegistryError("DENIED", "with immutable tags, blobs go by garbage collection alone", { digest })
    return this.#writes.deleteBlob(repository, digest)
  }

  async #immutableTagOf(repository: string, digest: Digest): Promise<string | undefined> {
    if (this.#immutable.length === 0 || !(await this.#store.has(repository))) return undefined
    for (let last: string | undefined; ;) {
      const { names, hasMore } = await this.#store.tags(repository, { last, limit: TAGS_AT_ONCE })
      for (const tag of names) {
        if (!isImmutable(this.#immutable, repository, tag)) continue
        if ((await this.#store.manifest(repository, { tag }))?.descriptor.digest === digest) return tag
      }
      last = names.at(-1)
      if (!hasMore || last === undefined) return undefined
    }
  }
}
