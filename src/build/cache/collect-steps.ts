import type { DiffId } from "../../spec/digest.ts"
import type { Vertex } from "../plan/definition.ts"
import type { Plan } from "../plan/plan.ts"
import { contentIdentity, rootPart } from "../solve/key.ts"
import type { LayerReader } from "../solve/layer-reader.ts"
import type { BuildRecords } from "../solve/records.ts"
import type { RemoteStep } from "../solve/remote-cache.ts"
import type { LayersResult } from "../solve/result.ts"
import type { Solver } from "../solve/solver.ts"
import { baseIdentity, baseOf, isLayered, type LayeredVertex } from "../solve/vertex-keys.ts"
import type { MapStep } from "./cache-map.ts"
import type { LazyCache } from "./lazy-cache.ts"

/** A layer that is in our own store, or still where it was imported from. */
export type LayerOrigin =
  { kind: "record"; id: string; size: number } | { kind: "remote"; cache: LazyCache; step: RemoteStep }

/** A step for the cache, with where its layer is. */
export interface CollectedStep extends Omit<MapStep, "layer" | "keys"> {
  keys: Set<string>
  diffId: DiffId
  origin: LayerOrigin
}

/** What steps are collected from. */
export interface CollectOptions {
  solver: Pick<Solver, "known">
  records: BuildRecords
  reader: LayerReader
  /** What was imported; a step that nobody needed here is handed on from there. */
  remotes: readonly LazyCache[]
}

/** The steps of plans that a cache is to hold: those their results are made of, or all of them. */
export async function collectSteps(
  plans: readonly Pick<Plan, "vertex" | "vertices">[],
  mode: "min" | "max",
  options: CollectOptions,
): Promise<readonly CollectedStep[]> {
  const collector = new Collector(options)
  for (const plan of plans)
    for (const vertex of mode === "max" ? plan.vertices : rootsOf(plan.vertex))
      if (isLayered(vertex)) await collector.add(vertex)
  return collector.steps
}

/** The vertex and those it stands on, lowest first. */
function rootsOf(vertex: Vertex): Vertex[] {
  const roots: Vertex[] = []
  for (let at: Vertex | undefined = vertex; at !== undefined; at = at.inputs[0]) roots.push(at)
  return roots.toReversed()
}

class Collector {
  readonly steps: CollectedStep[] = []
  readonly #options: CollectOptions
  /** By record, and by step of an imported cache. */
  readonly #indexes = new Map<string | RemoteStep, number>()

  constructor(options: CollectOptions) {
    this.#options = options
  }

  async add(vertex: LayeredVertex): Promise<void> {
    const { key, result } = await this.#options.solver.known(vertex)
    const index = result === undefined ? this.#addRemote(key) : await this.#addRecords(vertex, result)
    if (index !== undefined) this.steps[index]?.keys.add(key)
  }

  async #addRecords(vertex: Vertex, result: LayersResult): Promise<number | undefined> {
    const { records, reader } = this.#options
    const base = baseIdentity(baseOf(vertex))
    const below: DiffId[] = []
    let parent: number | undefined
    for (const layer of result.layers) {
      if (layer.kind !== "step") continue
      const { diffId, tarBytes } = await reader.facts(layer.id)
      let index = this.#indexes.get(layer.id)
      if (index === undefined) {
        const { slot, description, parts, createdAt } = records.get(layer.id)
        index = this.#push(layer.id, {
          keys: new Set(),
          parent,
          slot,
          description,
          parts: [rootPart(contentIdentity(base, below)), ...parts.slice(1)],
          created: createdAt.getTime(),
          diffId,
          origin: { kind: "record", id: layer.id, size: tarBytes },
        })
      }
      below.push(diffId)
      parent = index
    }
    return parent
  }

  #addRemote(key: string): number | undefined {
    for (const cache of this.#options.remotes) {
      const step = cache.steps.find(({ keys }) => keys.includes(key))
      if (step !== undefined) return this.#addRemoteStep(cache, step)
    }
    return undefined
  }

  /** With those it stands on. */
  #addRemoteStep(cache: LazyCache, step: RemoteStep): number {
    const known = this.#indexes.get(step)
    if (known !== undefined) return known
    const { slot, description, parts, createdAt, diffId } = step
    return this.#push(step, {
      keys: new Set(),
      parent: step.parent && this.#addRemoteStep(cache, step.parent),
      slot,
      description,
      parts,
      created: createdAt.getTime(),
      diffId,
      origin: { kind: "remote", cache, step },
    })
  }

  #push(of: string | RemoteStep, step: CollectedStep): number {
    const index = this.steps.push(step) - 1
    this.#indexes.set(of, index)
    return index
  }
}
