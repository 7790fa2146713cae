import { setTimeout as sleep } from "node:timers/promises"
import { Cancelled, type SkiffError } from "../../base/errors.ts"
import type { FileLocks, HeldLock } from "../../sys/fs/file-locks.ts"
import type { SourceRange } from "../build.ts"
import type { Vertex } from "../plan/definition.ts"
import type { CacheMounts } from "../execute/cache-mounts.ts"
import { explainForeign } from "../execute/foreign-platform.ts"
import type { Source, Executor, WorkContext } from "../execute/executor.ts"
import type { ChainId } from "../../spec/digest.ts"
import { firstDifference, keyOf, type KeyConditions, type KeyPart } from "./key.ts"
import type { LayerReader } from "./layer-reader.ts"
import type { BuildRecord, BuildRecords } from "./records.ts"
import type { RemoteCache } from "./remote-cache.ts"
import { RemoteSteps } from "./remote-steps.ts"
import { SCRATCH, type Layer, type LayersResult, type Result } from "./result.ts"
import type { FoundSecret } from "./secret-scan.ts"
import type { Limit } from "../../base/limiter.ts"
import type { StepRunner } from "./step-runner.ts"
import {
  baseIdentity,
  baseOf,
  descriptionOf,
  isLayered,
  slotOf,
  VertexKeys,
  type LayeredVertex,
} from "./vertex-keys.ts"

/** What a solver stands on. */
export interface SolverOptions {
  records: BuildRecords
  runner: StepRunner
  reader: LayerReader
  executor: Executor
  locks: FileLocks
  limit: Limit
  signal: AbortSignal
  conditions: KeyConditions
  /** The layers of an image that the store holds. */
  baseLayers(vertex: Vertex): Promise<readonly Layer[]>
  /** The files of a context, download, clone or here-document. */
  tree(vertex: Vertex): Promise<Source>
  /** A record is in use by this build: not to be pruned. */
  hold(ids: readonly string[]): void
  events: VertexEvents
  /** In the layer of a RUN that could read them. */
  onSecrets(vertex: Vertex, found: readonly FoundSecret[]): void
  /** What was made before is done again; undefined: nothing is too old. */
  oldest?: Date
  /** `--cache-from`; undefined: there is none. */
  remote?: { caches: readonly RemoteCache[]; mounts: CacheMounts; onLoss(cache: RemoteCache, error: SkiffError): void }
}

/** What is told of vertices while they are solved. */
export interface VertexEvents {
  started(vertex: Vertex): void
  cached(vertex: Vertex, from?: string): void
  done(vertex: Vertex): void
  failed(vertex: Vertex, error: unknown): void
  miss(vertex: Vertex, reason: string): void
  context(vertex: Vertex): WorkContext
}

/** Why a step was not taken from the cache. */
interface Reason {
  text: string
  /** Files differ; `earlier` has those of before. */
  isOfFiles: boolean
  earlier?: ChainId
}

/** The vertex that failed, so that the error can quote its lines. */
export class StepFailure extends Error {
  readonly source: SourceRange | undefined

  constructor(source: SourceRange | undefined, cause: unknown) {
    super("a step failed", { cause })
    this.source = source
  }
}

/**
 * Solves vertices: each once, inputs first, independent ones at once, and none that nothing asks for.
 *
 * A step has two keys. `definitionKey` is made of the definitions of all that is below it and the contents of the contexts it reads:
 * when the cache has it, nothing below needs to be looked at. `contentKey` is made of what its inputs really gave, so that a
 * stage built anew with the same files does not spoil the steps that copy from it. Records are made under both.
 */
export class Solver {
  readonly #options: SolverOptions
  readonly #solved = new Map<Vertex, Promise<Result>>()
  readonly #keys: VertexKeys
  /** By `contentKey` key: equal steps of one build are one. */
  readonly #running = new Map<string, Promise<LayersResult>>()
  readonly #shown = new Set<Vertex>()
  readonly #remote: RemoteSteps | undefined

  constructor(options: SolverOptions) {
    this.#options = options
    const { executor, runner, conditions, remote, records, reader, events, oldest } = options
    const view = (layers: LayersResult): Promise<Source> => runner.view(layers)
    this.#keys = new VertexKeys({ executor, conditions, view, solve: (vertex) => this.solve(vertex) })
    this.#remote =
      remote &&
      new RemoteSteps({
        ...remote,
        oldest,
        records,
        runner,
        reader,
        definitionKey: (vertex) => this.#keys.definitionKey(vertex),
        base: (vertex) => this.#base(vertex),
        hold: (id) => this.#hold(id),
        context: (vertex) => events.context(vertex),
      })
  }

  /** Throws StepFailure. */
  solve(vertex: Vertex): Promise<Result> {
    let solving = this.#solved.get(vertex)
    if (solving === undefined) this.#solved.set(vertex, (solving = this.#solve(vertex)))
    return solving
  }

  /** Solves a vertex that gives layers. */
  async layers(vertex: Vertex): Promise<LayersResult> {
    const result = await this.solve(vertex)
    if (result.kind !== "layers") throw new Error(`unreachable: "${vertex.name}" gives no layers`)
    return result
  }

  /** The key of a step by definitions, and what it gave: in this build, or earlier as far as the cache holds it. */
  async known(vertex: LayeredVertex): Promise<{ key: string; result: LayersResult | undefined }> {
    const key = await this.#keys.definitionKey(vertex)
    const solved = await this.#solved.get(vertex)
    if (solved !== undefined) return { key, result: solved.kind === "layers" ? solved : undefined }
    return { key, result: await this.#find(vertex, this.#options.records.findByKey(key)) }
  }

  /** Waits for all that was begun, whatever becomes of it. */
  async finish(): Promise<void> {
    await Promise.allSettled([...this.#solved.values(), ...this.#running.values()])
    await this.#remote?.finish()
  }

  async #solve(vertex: Vertex): Promise<Result> {
    const { operation } = vertex
    if (operation.kind === "scratch") return SCRATCH
    if (operation.kind === "image") {
      const base = await this.#base(vertex)
      this.#showCached(vertex)
      return base
    }
    if (isLayered(vertex)) return await this.#located(vertex, () => this.#solveStep(vertex))
    return { kind: "tree", source: await this.#shownWhile(vertex, () => this.#options.tree(vertex)) }
  }

  /** A file that a step wants and nobody has is found out before the step begins. */
  async #located(vertex: Vertex, solve: () => Promise<LayersResult>): Promise<LayersResult> {
    try {
      return await solve()
    } catch (error) {
      if (error instanceof StepFailure) throw error
      this.#options.events.failed(vertex, error)
      throw new StepFailure(vertex.source, error)
    }
  }

  async #solveStep(vertex: LayeredVertex): Promise<LayersResult> {
    const definitionKey = await this.#keys.definitionKey(vertex)
    // definitions alone tell nothing of the age of what is below
    if (this.#options.oldest === undefined && !this.#keys.isBuiltAnew(vertex)) {
      const hit =
        (await this.#hit(vertex, this.#options.records.findByKey(definitionKey))) ??
        (await this.#import(vertex, definitionKey))
      if (hit) return hit
    }
    const inputs = await Promise.all(vertex.inputs.map((input) => this.solve(input)))
    const root = inputs[0]
    if (root?.kind !== "layers") throw new Error(`unreachable: "${vertex.name}" stands on no layers`)
    const parts = await this.#keys.contentParts(vertex, root.identity, inputs)
    const contentKey = keyOf("content", parts)
    const running = this.#running.get(contentKey)
    if (running) return await this.#sameAs(vertex, running)
    const result = this.#findOrRun(vertex, root, inputs, parts, [contentKey, definitionKey])
    this.#running.set(contentKey, result)
    return await result
  }

  async #sameAs(vertex: Vertex, running: Promise<LayersResult>): Promise<LayersResult> {
    const result = await running
    this.#showCached(vertex)
    return result
  }

  /** From another machine's cache; of several builds that want it one fetches it. */
  async #import(vertex: LayeredVertex, key: string): Promise<LayersResult | undefined> {
    if (!this.#remote?.has(key)) return undefined
    using lock = await this.#lock(key)
    using _ = { [Symbol.dispose]: () => lock.unlink() }
    const hit = await this.#hit(vertex, this.#options.records.findByKey(key))
    if (hit) return hit
    const imported = await this.#remote.import(vertex, key)
    if (imported) this.#showCached(vertex, imported.from)
    return imported?.result
  }

  /** Under the lock of its key, so that of several builds that come to the same step one does it and the others wait. */
  async #findOrRun(
    vertex: LayeredVertex,
    root: LayersResult,
    inputs: readonly Result[],
    parts: readonly KeyPart[],
    keys: readonly [contentKey: string, definitionKey: string],
  ): Promise<LayersResult> {
    const { records, limit } = this.#options
    using lock = await this.#lock(keys[0])
    // others who wait for it look again; nobody needs the file of a step that is done
    using _ = { [Symbol.dispose]: () => lock.unlink() }
    if (!vertex.ignoreCache) {
      const record = records.findByKey(keys[0])
      const hit = await this.#hit(vertex, record)
      if (hit && record) {
        records.addKeys(record.id, keys)
        return hit
      }
      const imported = await this.#remote?.importByContents(vertex, root, parts, keys)
      if (imported) {
        this.#showCached(vertex, imported.from)
        return imported.result
      }
    }
    return await limit(() => this.#run(vertex, root, inputs, parts, keys))
  }

  async #run(
    vertex: LayeredVertex,
    root: LayersResult,
    inputs: readonly Result[],
    parts: readonly KeyPart[],
    keys: readonly string[],
  ): Promise<LayersResult> {
    const { runner, reader, events } = this.#options
    if (this.#options.signal.aborted) throw new Cancelled("the build was cancelled")
    const record = { slot: slotOf(vertex), description: descriptionOf(vertex), parts, keys }
    const reason = this.#reason(vertex, parts, record, root)
    // which file it was is known when they have been copied
    if (!reason.isOfFiles) events.miss(vertex, reason.text)
    const result = await this.#shownWhile(vertex, async () => {
      const { operation } = vertex
      if (operation.kind === "merge") return await runner.merge(root, layersOf(inputs[1]), record)
      const sources = await Promise.all(inputs.slice(1).map((input) => this.#sourceOf(input)))
      if (operation.kind === "run") {
        const mounts = operation.mounts.filter((mount) => mount.type === "cache")
        await this.#remote?.restore(mounts, events.context(vertex))
      }
      try {
        return await runner.work(operation, root, sources, events.context(vertex), record)
      } catch (error) {
        throw operation.kind === "run" ? explainForeign(error, vertex.platform) : error
      }
    })
    this.#watchForSecrets(vertex, result)
    for (const layer of result.layers.slice(root.layers.length)) if (layer.kind === "step") reader.start(layer.id)
    if (reason.isOfFiles) events.miss(vertex, await this.#withFile(reason, result))
    return result
  }

  #reason(
    vertex: Vertex,
    parts: readonly KeyPart[],
    { description, slot }: { description: string; slot: string },
    root: LayersResult,
  ): Reason {
    if (vertex.ignoreCache) return { text: "the cache is disabled", isOfFiles: false }
    const top = root.layers.at(-1)
    const closest = this.#options.records.closest(description, slot, top?.kind === "step" ? top.id : undefined)
    if (closest === undefined) {
      const text = this.#remote?.difference(vertex, parts) ?? "this step was not built before"
      return { text, isOfFiles: false }
    }
    const text =
      firstDifference(parts, closest.parts) ??
      (this.#isTooOld(closest) ? "its result is too old" : "its result was pruned")
    const isOfFiles = vertex.operation.kind === "files" && text.startsWith("the files ")
    return { text, isOfFiles, earlier: closest.snapshot }
  }

  async #withFile({ text, earlier }: Reason, result: LayersResult): Promise<string> {
    const file = earlier && (await this.#options.runner.firstChangedFile(result, earlier))
    return file === undefined ? text : `${text}: ${file}`
  }

  /** The result that the cache holds; undefined where it has none, or not all of it. */
  async #hit(vertex: LayeredVertex, record: BuildRecord | undefined): Promise<LayersResult | undefined> {
    const result = await this.#find(vertex, record)
    if (result) {
      this.#showCached(vertex)
      // the build that made it may not have come to read it
      this.#watchForSecrets(vertex, result)
    }
    return result
  }

  #watchForSecrets(vertex: LayeredVertex, { layers }: LayersResult): void {
    const { runner, reader, onSecrets } = this.#options
    const top = layers.at(-1)
    if (vertex.operation.kind !== "run" || top?.kind !== "step") return
    const secrets = runner.secretsOf(vertex.operation)
    if (secrets.length > 0) reader.watch(top.id, secrets, (found) => onSecrets(vertex, found))
  }

  async #find(vertex: LayeredVertex, record: BuildRecord | undefined): Promise<LayersResult | undefined> {
    const ids = record && !this.#isTooOld(record) ? this.#hold(record.id) : undefined
    if (record === undefined || ids === undefined) return undefined
    const { layers } = await this.#base(baseOf(vertex))
    return {
      kind: "layers",
      identity: `step ${record.id}`,
      layers: [...layers, ...ids.map((id): Layer => ({ kind: "step", id }))],
    }
  }

  /**
   * The records of a chain, held from now on; undefined where the top one is not whole. In one transaction: it may be pruned
   * at any time, and another build may be giving its snapshot the final name.
   */
  #hold(id: string): string[] | undefined {
    const { records, runner } = this.#options
    return records.transaction(() => {
      const record = records.find(id)
      if (record === undefined) return undefined
      if (!runner.has(record.snapshot)) {
        records.delete(id)
        return undefined
      }
      const ids = records.chain(id).map((each) => each.id)
      this.#options.hold(ids)
      return ids
    })
  }

  #isTooOld({ createdAt }: { createdAt: Date }): boolean {
    const { oldest } = this.#options
    return oldest !== undefined && createdAt < oldest
  }

  /** What a chain of steps begins on. */
  async #base(vertex: Vertex): Promise<LayersResult> {
    if (vertex.operation.kind !== "image") return SCRATCH
    return { kind: "layers", identity: baseIdentity(vertex), layers: await this.#options.baseLayers(vertex) }
  }

  async #sourceOf(result: Result): Promise<Source> {
    return result.kind === "tree" ? result.source : await this.#options.runner.view(result)
  }

  async #lock(key: string): Promise<HeldLock> {
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      const held = this.#options.locks.tryAcquire(key)
      if (held) return held
      await sleep(pauseMs, undefined, { signal: this.#options.signal })
    }
  }

  async #shownWhile<T>(vertex: Vertex, work: () => Promise<T>): Promise<T> {
    const { events } = this.#options
    this.#shown.add(vertex)
    events.started(vertex)
    try {
      const result = await work()
      events.done(vertex)
      return result
    } catch (error) {
      events.failed(vertex, error)
      throw error instanceof StepFailure ? error : new StepFailure(vertex.source, error)
    }
  }

  /** With all below it that nobody looked at. */
  #showCached(vertex: Vertex, from?: string): void {
    if (this.#shown.has(vertex)) return
    this.#shown.add(vertex)
    for (const input of vertex.inputs) if (!this.#solved.has(input)) this.#showCached(input, from)
    if (vertex.operation.kind !== "scratch") this.#options.events.cached(vertex, isLayered(vertex) ? from : undefined)
  }
}

const MAX_PAUSE_MS = 20

function layersOf(result: Result | undefined): LayersResult {
  if (result?.kind !== "layers") throw new Error("unreachable: --link is made of layers")
  return result
}
