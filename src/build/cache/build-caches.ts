import { InvalidArgument, type SkiffError } from "../../base/errors.ts"
import type { Lease } from "../../content/content.ts"
import type { BuildEvents } from "../build-events.ts"
import type { BuildDeps } from "../deps.ts"
import type { BuildRequest } from "../build.ts"
import type { Solved } from "../export/context.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { RemoteCache } from "../solve/remote-cache.ts"
import type { Solver, SolverOptions } from "../solve/solver.ts"
import { CacheMounts } from "../execute/cache-mounts.ts"
import { exportCaches, inlineCache, openTargets, type OpenedTarget } from "./export-caches.ts"
import type { LazyCache } from "./lazy-cache.ts"
import { openCaches } from "./open-caches.ts"

/** What the caches of one build stand on. */
export interface BuildCachesOptions {
  deps: BuildDeps
  request: BuildRequest
  records: BuildRecords
  lease: Lease
  events: BuildEvents
  signal: AbortSignal
}

/** The caches of one build beside the store's own: `--cache-from` and `--cache-to`. */
export class BuildCaches {
  readonly #options: BuildCachesOptions
  readonly #remotes: readonly LazyCache[]
  readonly #targets: readonly OpenedTarget[]

  private constructor(options: BuildCachesOptions, remotes: readonly LazyCache[], targets: readonly OpenedTarget[]) {
    this.#options = options
    this.#remotes = remotes
    this.#targets = targets
  }

  /** Reads what is imported, looks where to export. Throws DataLoss, InvalidArgument for what is not what it says. */
  static async open(options: BuildCachesOptions): Promise<BuildCaches> {
    const { cacheFrom = [], cacheTo = [], squash, access, outputs, tags } = options.request
    if (squash && cacheTo.some(({ type }) => type === "inline"))
      throw new InvalidArgument("a squashed image cannot contain an inline cache", {
        hint: [
          { do: "omit", field: "squash" },
          { do: "set", field: "cacheTo", value: "type=registry,ref=NAME" },
        ],
      })
    const pushed = outputs.some(({ type }) => type === "registry") ? tags : []
    const targets = await openTargets(cacheTo, { ...options, access, pushed })
    return new BuildCaches(options, await openCaches(cacheFrom, { ...options, access }), targets)
  }

  /** What the solver takes of it. */
  get remote(): SolverOptions["remote"] {
    const { deps, events } = this.#options
    if (this.#remotes.length === 0) return undefined
    return {
      caches: this.#remotes,
      mounts: new CacheMounts(deps.root),
      onLoss: ({ name }: RemoteCache, error: SkiffError) =>
        events.warn({ rule: "CacheNotImported", message: `the cache ${name} is not used any more: ${error.message}` }),
    }
  }

  /** The same results; with `type=inline` the images' configs will hold the cache. */
  async inlined(solved: readonly Solved[], solver: Solver, reader: LayerReader): Promise<readonly Solved[]> {
    const { request, records } = this.#options
    if (!request.cacheTo?.some(({ type }) => type === "inline")) return solved
    const options = { solver, reader, records, remotes: this.#remotes }
    return await Promise.all(
      solved.map(async ({ plan, result }) => {
        const diffIds = await Promise.all(
          result.layers.map(async (layer) =>
            layer.kind === "base" ? layer.diffId : (await reader.facts(layer.id)).diffId,
          ),
        )
        const cache = await inlineCache(plan, diffIds, options)
        return { result, plan: { ...plan, image: { ...plan.image, "skiff.build-cache.v1": cache } } }
      }),
    )
  }

  async export(solved: readonly Solved[], solver: Solver, reader: LayerReader): Promise<void> {
    const { access } = this.#options.request
    const plans = solved.map(({ plan }) => plan)
    await exportCaches(this.#targets, plans, { ...this.#options, access, solver, reader, remotes: this.#remotes })
  }
}
