import { isSkiffError, type ErrorCode, type SkiffError } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import type { DiffId } from "../../spec/digest.ts"
import type { Vertex } from "../plan/definition.ts"
import { CacheMounts } from "../execute/cache-mounts.ts"
import type { WorkContext } from "../execute/executor.ts"
import { contentIdentity, digestOf, firstDifference, rootPart, type KeyPart } from "./key.ts"
import type { LayerReader } from "./layer-reader.ts"
import type { BuildRecords } from "./records.ts"
import type { CacheMount, RemoteCache, RemoteStep } from "./remote-cache.ts"
import type { LayersResult } from "./result.ts"
import type { StepRunner } from "./step-runner.ts"
import { baseIdentity, baseOf, descriptionOf, isLayered, slotOf } from "./vertex-keys.ts"

/** What imported steps are recorded with. */
export interface RemoteStepsOptions {
  caches: readonly RemoteCache[]
  records: BuildRecords
  runner: StepRunner
  reader: LayerReader
  mounts: CacheMounts
  /** The key of a vertex by definitions. */
  definitionKey(vertex: Vertex): Promise<string>
  /** The base as a result. */
  base(vertex: Vertex): Promise<LayersResult>
  /** The records of a chain, held from now on; undefined where it is not whole. */
  hold(id: string): string[] | undefined
  context(vertex: Vertex): WorkContext
  /** What was made before is not taken. */
  oldest: Date | undefined
  /** A cache turned out not to have what it promised. */
  onLoss(cache: RemoteCache, error: SkiffError): void
}

/** What a cache had for a vertex, now in the store. */
export interface Imported {
  result: LayersResult
  from: string
}

/** A step of a cache, the vertex of ours that it stands for where that is known, and its key. */
interface ChainLink {
  step: RemoteStep
  vertex?: Vertex
  key?: string
}

/** As of a pull: more at once gain nothing on one line. */
const PARALLEL_LAYERS = 3

/**
 * Takes results of steps from other machines' caches. A layer comes when a step needs it, with those below it, and becomes a
 * record of our own cache, under keys that this build made itself: a cache cannot answer for what was not asked for.
 */
export class RemoteSteps {
  readonly #options: RemoteStepsOptions
  readonly #byKey = new Map<string, { cache: RemoteCache; step: RemoteStep }>()
  /** By all parts of a key but what the step stands on. */
  readonly #byContents = new Map<string, { cache: RemoteCache; step: RemoteStep }[]>()
  readonly #imported = new Map<RemoteStep, Map<string, Promise<LayersResult>>>()
  readonly #restored = new Map<string, Promise<void>>()
  readonly #limit = limiter(PARALLEL_LAYERS)
  readonly #lost = new Set<RemoteCache>()
  readonly #pending = new Set<Promise<unknown>>()

  constructor(options: RemoteStepsOptions) {
    this.#options = options
    const { caches, oldest } = options
    for (const cache of caches)
      for (const step of cache.steps) {
        if (oldest !== undefined && step.createdAt < oldest) continue
        // the first cache that was named is asked first
        for (const key of step.keys) if (!this.#byKey.has(key)) this.#byKey.set(key, { cache, step })
        const contents = contentsOf(step.parts)
        const equal = this.#byContents.get(contents) ?? []
        equal.push({ cache, step })
        this.#byContents.set(contents, equal)
      }
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** The result under a key by definitions, with all that it stands on; undefined where no cache has it any more. */
  async import(vertex: Vertex, key: string): Promise<Imported | undefined> {
    const found = this.#byKey.get(key)
    if (found === undefined) return undefined
    const { cache, step } = found
    return await this.#unlessLost(cache, async () => {
      const base = await this.#options.base(baseOf(vertex))
      const links = await this.#linksBelow(step, vertex)
      return { result: await this.#resultOf(cache, base, links, this.#options.context(vertex)), from: cache.name }
    })
  }

  /**
   * The result of a step whose inputs have the contents that a cache knows, however they were made: its layer alone is taken.
   */
  async importByContents(
    vertex: Vertex,
    root: LayersResult,
    parts: readonly KeyPart[],
    keys: readonly string[],
  ): Promise<Imported | undefined> {
    const candidates = this.#byContents.get(contentsOf(parts)) ?? []
    if (candidates.length === 0) return undefined
    const [, rootDigest] = rootPart(contentIdentity(baseIdentity(baseOf(vertex)), await this.#diffIds(root)))
    const found = candidates.find(({ step }) => step.parts[0]?.[1] === rootDigest)
    if (found === undefined) return undefined
    const { cache, step } = found
    return await this.#unlessLost(cache, async () => {
      const layer = await this.#stage(cache, step, this.#options.context(vertex))
      return { result: await this.#adopt(root, layer, { step, vertex }, parts, keys), from: cache.name }
    })
  }

  /** In what a step differs from the one that a cache has in its place. */
  difference(vertex: Vertex, parts: readonly KeyPart[]): string | undefined {
    const [description, slot] = [descriptionOf(vertex), slotOf(vertex)]
    const all = this.#options.caches.flatMap((cache) => cache.steps.map((step) => ({ cache, step })))
    const closest =
      all.find(({ step }) => step.description === description) ?? all.find(({ step }) => step.slot === slot)
    if (closest === undefined) return undefined
    // what a step stands on is told otherwise there, and differs when nothing else does
    const what = firstDifference(parts.slice(1), closest.step.parts.slice(1)) ?? "the step before it differs"
    return `${what} (compared with ${closest.cache.name})`
  }

  /** Fills empty caches of a RUN from the first cache that has them. */
  async restore(mounts: readonly CacheMount[], context: WorkContext): Promise<void> {
    for (const mount of mounts) {
      const key = await this.#options.mounts.keyOf(mount)
      let restoring = this.#restored.get(key)
      if (restoring === undefined) this.#restored.set(key, (restoring = this.#restore(mount, key, context)))
      await restoring
    }
  }

  /** Waits until nothing is fetched any more. */
  async finish(): Promise<void> {
    for (let known = -1; known !== this.#pending.size;) {
      known = this.#pending.size
      await Promise.allSettled(this.#pending)
    }
  }

  async #restore(mount: CacheMount, key: string, context: WorkContext): Promise<void> {
    for (const cache of this.#options.caches) {
      const kept = cache.mount(key)
      if (kept === undefined) continue
      const wasTaken = await this.#unlessLost(cache, async () => {
        await this.#options.mounts.restore(mount, (directory) => kept.fill(directory, context))
        return true
      })
      if (wasTaken) return
    }
  }

  /** The steps below `step`, lowest first, each with the vertex of ours that asks for it by the same key. */
  async #linksBelow(step: RemoteStep, vertex: Vertex): Promise<ChainLink[]> {
    const links: ChainLink[] = []
    let next: Vertex | undefined = vertex
    for (let at: RemoteStep | undefined = step; at !== undefined; at = at.parent) {
      const key: string | undefined = next && isLayered(next) ? await this.#options.definitionKey(next) : undefined
      if (key === undefined || !at.keys.includes(key)) {
        links.push({ step: at })
        continue
      }
      links.push({ step: at, vertex: next, key })
      next = next?.inputs[0]
    }
    return links.toReversed()
  }

  /** The result of the topmost link. What is here already is not fetched. */
  async #resultOf(
    cache: RemoteCache,
    base: LayersResult,
    links: readonly ChainLink[],
    context: WorkContext,
  ): Promise<LayersResult> {
    const top = links.at(-1)
    if (top === undefined) return base
    const known = this.#imported.get(top.step) ?? new Map<string, Promise<LayersResult>>()
    this.#imported.set(top.step, known)
    let imported = known.get(base.identity)
    if (imported === undefined) {
      imported = this.#link(cache, base, links, top, context)
      known.set(base.identity, imported)
      this.#pending.add(imported)
      imported.catch(() => known.delete(base.identity))
    }
    return await imported
  }

  async #link(
    cache: RemoteCache,
    base: LayersResult,
    links: readonly ChainLink[],
    top: ChainLink,
    context: WorkContext,
  ): Promise<LayersResult> {
    const here = await this.#here(base, links, top)
    if (here) return here
    const layer = this.#stage(cache, top.step, context)
    layer.catch(() => {}) // it is awaited below, unless one of the lower layers fails first
    const root = await this.#resultOf(cache, base, links.slice(0, -1), context)
    const { key, step } = top
    const parts = [rootPart(root.identity), ...step.parts.slice(1)]
    return await this.#adopt(root, await layer, top, parts, key === undefined ? [] : [key])
  }

  /** The same chain of layers in our own cache: it may have been imported for another step, or made here. */
  async #here(base: LayersResult, links: readonly ChainLink[], { key }: ChainLink): Promise<LayersResult | undefined> {
    const { records, hold } = this.#options
    const record = key === undefined ? undefined : records.findByKey(key)
    const ids = record && hold(record.id)
    if (ids === undefined || ids.length !== links.length) return undefined
    const layers = [...base.layers, ...ids.map((id) => ({ kind: "step", id }) as const)]
    const result: LayersResult = { kind: "layers", identity: `step ${ids.at(-1)}`, layers }
    const diffIds = await this.#diffIds(result)
    return diffIds.every((diffId, index) => diffId === links[index]?.step.diffId) ? result : undefined
  }

  #stage(cache: RemoteCache, step: RemoteStep, context: WorkContext): Promise<string> {
    const staged = this.#limit(() => this.#options.runner.stage((directory) => cache.extract(step, directory, context)))
    this.#pending.add(staged)
    return staged
  }

  async #adopt(
    root: LayersResult,
    layer: string,
    { step, vertex }: ChainLink,
    parts: readonly KeyPart[],
    keys: readonly string[],
  ): Promise<LayersResult> {
    const { runner, reader } = this.#options
    const { createdAt } = step
    const [slot, description] = vertex ? [slotOf(vertex), descriptionOf(vertex)] : [step.slot, step.description]
    const result = await runner.adopt(root, layer, { slot, description, parts, createdAt, keys })
    const own = result.layers.at(-1)
    if (own?.kind === "step") reader.start(own.id)
    return result
  }

  async #diffIds({ layers }: LayersResult): Promise<DiffId[]> {
    const own = layers.flatMap((layer) => (layer.kind === "step" ? [layer.id] : []))
    return await Promise.all(own.map(async (id) => (await this.#options.reader.facts(id)).diffId))
  }

  /** A cache whose layers are gone, out of reach, or of owners that this user has not, is as if it had none. Other bytes end the build. */
  async #unlessLost<T>(cache: RemoteCache, take: () => Promise<T>): Promise<T | undefined> {
    if (this.#lost.has(cache)) return undefined
    try {
      return await take()
    } catch (error) {
      if (!isSkiffError(error) || !LOSSES.has(error.code)) throw error
      if (!this.#lost.has(cache)) this.#options.onLoss(cache, error)
      this.#lost.add(cache)
      return undefined
    }
  }
}

const LOSSES: ReadonlySet<ErrorCode> = new Set(["NotFound", "Unavailable", "PermissionDenied", "FailedPrecondition"])

function contentsOf(parts: readonly KeyPart[]): string {
  return digestOf(parts.slice(1))
}
