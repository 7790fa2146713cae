import { chmodSync, chownSync } from "node:fs"
import { applyLayer } from "../../archive/archive.ts"
import { DataLoss } from "../../base/errors.ts"
import type { ContentStore } from "../../content/content.ts"
import { shortDigest, type DiffId } from "../../spec/digest.ts"
import type { RemoteCache, RemoteStep } from "../solve/remote-cache.ts"
import type { WorkContext } from "../execute/executor.ts"
import type { CacheLayer, OpenedCache } from "./read-cache.ts"
import { verifiedBlob } from "./verified.ts"

/** Where imported layers go. */
export interface LazyCacheOptions {
  content: ContentStore
  rootless: boolean
}

/** The layer of a step, as its cache has it. */
export interface RemoteLayer extends CacheLayer {
  cache: OpenedCache
}

/** A cache as the solver takes it: a layer comes when it is asked for. */
export class LazyCache implements RemoteCache {
  readonly name: string
  readonly steps: readonly RemoteStep[]
  readonly opened: OpenedCache
  readonly #options: LazyCacheOptions
  readonly #layers = new Map<RemoteStep, CacheLayer>()

  constructor(opened: OpenedCache, options: LazyCacheOptions) {
    this.name = opened.reader.name
    this.opened = opened
    this.#options = options
    const steps: RemoteStep[] = []
    for (const { keys, parent, layer: index, slot, description, parts, created } of opened.map.steps) {
      const layer = this.#layer(index)
      const below = parent === undefined ? undefined : steps[parent]
      const { diffId } = layer
      const step = { keys, parent: below, diffId, slot, description, parts, createdAt: new Date(created) }
      steps.push(step)
      this.#layers.set(step, layer)
    }
    this.steps = steps
  }

  layerOf(step: RemoteStep): RemoteLayer | undefined {
    const layer = this.#layers.get(step)
    return layer && { ...layer, cache: this.opened }
  }

  /** A layer of these contents, whatever it belongs to. */
  layerOfContents(diffId: DiffId): CacheLayer | undefined {
    return this.opened.layers.find((layer) => layer.diffId === diffId)
  }

  /** What it has of a cache mount. */
  mountOf(key: string): (OpenedCache["map"]["mounts"][number] & { from: RemoteLayer }) | undefined {
    const mount = this.opened.map.mounts.find((each) => each.key === key)
    return mount && { ...mount, from: { ...this.#layer(mount.layer), cache: this.opened } }
  }

  async extract(step: RemoteStep, directory: string, context: WorkContext): Promise<void> {
    const layer = this.#layers.get(step)
    if (layer === undefined) throw new RangeError("unreachable: the step is of this cache")
    await this.#extract(layer, directory, context, false)
  }

  mount(key: string): { fill(directory: string, context: WorkContext): Promise<void> } | undefined {
    const mount = this.mountOf(key)
    if (mount === undefined) return undefined
    return {
      fill: async (directory, context) => {
        await this.#extract(mount.from, directory, context, true)
        chownSync(directory, mount.uid, mount.gid)
        chmodSync(directory, mount.mode)
      },
    }
  }

  /** `plain`: no name in it is a whiteout. */
  async #extract(
    { descriptor, diffId }: CacheLayer,
    directory: string,
    { signal, onProgress }: WorkContext,
    plain: boolean,
  ): Promise<void> {
    const { content, rootless } = this.#options
    const { digest, size } = descriptor
    const id = shortDigest(digest)
    const isHere = content.has(digest)
    if (isHere) onProgress({ id, stage: "extracting", total: size })
    else onProgress({ id, stage: "cache-fetching", subject: this.name, total: size })
    const bytes = isHere ? content.read(digest) : verifiedBlob(this.opened.reader, descriptor, signal)
    const iterator = bytes[Symbol.asyncIterator]()
    try {
      // who reads may stop before the end; the digest is known there
      const applied = await applyLayer({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }, directory, {
        rootless,
        plain,
        signal,
      })
      while (!(await iterator.next()).done);
      if (applied.diffId !== diffId)
        throw new DataLoss(
          `layer ${digest} of the cache ${this.name} unpacks to ${applied.diffId}, expected ${diffId}`,
          {
            hint: "do not trust this cache",
          },
        )
    } finally {
      await iterator.return?.()
    }
    onProgress({ id, stage: "added", current: size, total: size })
  }

  #layer(index: number): CacheLayer {
    const layer = this.opened.layers[index]
    if (layer === undefined) throw new RangeError("unreachable: the map was checked")
    return layer
  }
}
