import { formatSize } from "../../base/sizes.ts"
import { RegistryError } from "./answers.ts"
import type { Quota } from "./limits.ts"
import { isRepositoryOf } from "./repository-pattern.ts"
import type { RegistryStore } from "./server.ts"

/** What other servers of the store have taken is seen after so long, and before anything is refused. */
const MEASURED_MS = 30_000
const FRESH_MS = 1_000
/** To look takes at most one part in so many of the time: a bucket of a million blobs is listed for minutes. */
const LOOK_SHARE = 20

/**
 * How much there is, measured now and then; what this server takes is added as it comes. Two servers of one directory may so together go over
 * by what they take in half a minute; what is refused had no room a second before.
 */
export class Quotas {
  readonly #all: readonly Measured[]

  constructor(store: RegistryStore, quotas: readonly Quota[]) {
    this.#all = quotas.map((quota) => new Measured(store, quota))
  }

  /** Takes room for so many more bytes of the repository. Throws RegistryError where there is none. */
  async take(repository: string, bytes: number): Promise<void> {
    for (const quota of this.#all) if (quota.isOf(repository)) await quota.take(bytes)
  }

  /** Throws RegistryError where there is no room for them; takes none. */
  async mustHaveRoom(repository: string, bytes: number): Promise<void> {
    await this.take(repository, bytes)
    this.giveBack(repository, bytes)
  }

  /** What was taken is not kept. */
  giveBack(repository: string, bytes: number): void {
    for (const quota of this.#all) if (quota.isOf(repository)) quota.giveBack(bytes)
  }

  /** What was taken is stored: from the next look on, it is among what is found. */
  stored(repository: string, bytes: number): void {
    for (const quota of this.#all) if (quota.isOf(repository)) quota.store(bytes)
  }
}

/** Who sends too much is not told to send it again. */
class QuotaExceeded extends RegistryError {
  override readonly status = 413

  constructor(message: string) {
    super("DENIED", message)
  }
}

class Measured {
  readonly #store: RegistryStore
  readonly #quota: Quota
  #stored = 0
  #measuredAt = -Infinity
  #lookedMs = 0
  #measuring: Promise<void> | undefined
  /** By uploads that are no blobs yet. */
  #taken = 0
  /** Stored since the last look began. */
  #recent = 0

  constructor(store: RegistryStore, quota: Quota) {
    this.#store = store
    this.#quota = quota
  }

  isOf(repository: string): boolean {
    const { repositories } = this.#quota
    return repositories === undefined || isRepositoryOf(repositories, repository)
  }

  async take(bytes: number): Promise<void> {
    await this.#measure(Math.max(MEASURED_MS, LOOK_SHARE * this.#lookedMs))
    if (!this.#hasRoom(bytes)) await this.#measure(Math.max(FRESH_MS, this.#lookedMs))
    if (!this.#hasRoom(bytes)) {
      const whose = this.#quota.repositories ?? "this registry"
      const message = `${whose} may have ${formatSize(this.#quota.bytes)}, has ${formatSize(this.#used)}, and has no room for ${formatSize(bytes)} more`
      throw new QuotaExceeded(message)
    }
    this.#taken += bytes
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes
  }

  store(bytes: number): void {
    this.#taken -= bytes
    this.#recent += bytes
  }

  get #used(): number {
    return this.#stored + this.#taken + this.#recent
  }

  #hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#quota.bytes
  }

  /** One look at a time, for all who wait. */
  async #measure(maxAgeMs: number): Promise<void> {
    if (performance.now() - this.#measuredAt < maxAgeMs) return
    await (this.#measuring ??= this.#look())
  }

  async #look(): Promise<void> {
    const found = this.#recent
    const began = performance.now()
    try {
      const { repositories } = this.#quota
      const isOf = repositories === undefined ? undefined : (repository: string) => this.isOf(repository)
      this.#stored = (await this.#store.usedBytes?.(isOf)) ?? 0
      this.#recent -= found
      this.#measuredAt = performance.now()
      this.#lookedMs = this.#measuredAt - began
    } finally {
      this.#measuring = undefined
    }
  }
}
