import { crashPoint } from "../../base/crash-point.ts"
import { hasErrno, isSkiffError } from "../../base/errors.ts"
import type { Lease } from "../../content/content.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { ChainId } from "../../spec/digest.ts"
import { copyTree } from "../../sys/fs/copy-tree.ts"
import type { FilesOperation, RunOperation } from "../plan/definition.ts"
import type { RunSettings, Source, WorkContext, Executor } from "../execute/executor.ts"
import { secretsOf } from "../execute/run-mounts.ts"
import type { StepSecret } from "./secret-scan.ts"
import type { BuildRecords, NewRecord } from "./records.ts"
import type { Layer, LayersResult } from "./result.ts"
import type { BuildDirectory } from "../build-directory.ts"

/** What steps are run with. */
export interface StepRunnerOptions {
  records: BuildRecords
  snapshots: Snapshotter
  executor: Executor
  directory: BuildDirectory
  lease: Lease
  settings: RunSettings
  /** No file of a new layer gets a time after this one, in seconds. */
  epoch: number | undefined
}

/** How a step is written into the records. */
export type StepRecord = Pick<NewRecord, "slot" | "description" | "parts" | "createdAt"> & { keys: readonly string[] }

/** Does the work of one step on a snapshot, and makes a committed snapshot and a record of the cache from it. */
export class StepRunner {
  readonly #options: StepRunnerOptions
  readonly #views = new Map<string, Promise<string>>()

  constructor(options: StepRunnerOptions) {
    this.#options = options
  }

  /** RUN, COPY, ADD, WORKDIR on `root`. */
  async work(
    operation: RunOperation | FilesOperation,
    root: LayersResult,
    sources: readonly Source[],
    context: WorkContext,
    record: StepRecord,
  ): Promise<LayersResult> {
    const { snapshots, directory, executor, settings, epoch } = this.#options
    const key = directory.snapshotKey()
    await using undo = new AsyncDisposableStack()
    const mount = await this.#onTop(root, (parent) => snapshots.prepare(key, parent, { volatile: true }))
    undo.defer(() => snapshots.remove(key))
    {
      const path = directory.mount("root", mount)
      using _ = { [Symbol.dispose]: () => directory.unmount(path) }
      crashPoint("build:prepared")
      const all = [{ path, keepsOwners: true }, ...sources]
      if (operation.kind === "run") await executor.run(operation, path, all, settings, context)
      else await executor.files(operation, path, all, { ...context, epoch: operation.epoch ?? epoch })
    }
    if (epoch !== undefined) await snapshots.clampTimes(key, epoch)
    crashPoint("build:worked")
    const result = await this.#record(root, record, (name) => snapshots.commit(name, key))
    undo.move()
    return result
  }

  /** `COPY --link`: what `linked` has, over `root`. */
  async merge(root: LayersResult, linked: LayersResult, record: StepRecord): Promise<LayersResult> {
    const { snapshots, directory, records } = this.#options
    let result = root
    for (const [index, layer] of linked.layers.entries()) {
      if (layer.kind !== "step") continue
      const key = directory.snapshotKey()
      const { path } = await snapshots.stage(key)
      const from = records.transaction(() => snapshots.diffPath(records.get(layer.id).snapshot))
      await copyTree(from, "/", path, "/")
      const below = result
      const isLast = index === linked.layers.length - 1
      result = await this.#record(below, { ...record, keys: isLast ? record.keys : [] }, (name) =>
        this.#onTop(below, (parent) => snapshots.commitStage(name, key, parent)),
      )
    }
    return result
  }

  /** A layer that was made elsewhere, on no parent yet; gives its key. */
  async stage(extract: (directory: string) => Promise<void>): Promise<string> {
    const { snapshots, directory } = this.#options
    const key = directory.snapshotKey()
    const { path } = await snapshots.stage(key)
    await extract(path)
    return key
  }

  /** What to look for in the layer of a step; empty where a file of them is gone, as a step from the cache asks for none. */
  secretsOf(operation: RunOperation): StepSecret[] {
    try {
      return secretsOf(operation, this.#options.settings)
    } catch (error) {
      if (isSkiffError(error) || hasErrno(error, "ENOENT", "EACCES")) return []
      throw error
    }
  }

  /** What `stage` gave, over `root`. */
  async adopt(root: LayersResult, key: string, record: StepRecord): Promise<LayersResult> {
    const { snapshots } = this.#options
    return await this.#record(root, record, (name) =>
      this.#onTop(root, (parent) => snapshots.commitStage(name, key, parent)),
    )
  }

  /** A mounted view of these layers, made once for the whole build. */
  async view(layers: LayersResult): Promise<Source> {
    let view = this.#views.get(layers.identity)
    if (view === undefined) this.#views.set(layers.identity, (view = this.#makeView(layers)))
    return { path: await view, keepsOwners: true, identity: layers.identity }
  }

  /** Views are snapshots too: they go before the build's directory does. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { directory, snapshots } = this.#options
    const prefix = directory.snapshotPrefix
    for (const view of this.#views.values()) {
      const path = await view.catch(() => undefined)
      if (path !== undefined) directory.unmount(path)
    }
    for (const { name } of snapshots.list()) if (name.startsWith(prefix)) await snapshots.remove(name)
  }

  async #makeView(layers: LayersResult): Promise<string> {
    const { snapshots, directory } = this.#options
    const key = directory.snapshotKey()
    return directory.mount("view", await this.#onTop(layers, (top) => snapshots.view(key, top)))
  }

  /**
   * Commits under a name that is known at once: the chain id comes when the layer has been read, and others may stand on
   * the snapshot by then.
   */
  async #record(
    root: LayersResult,
    { keys, ...record }: StepRecord,
    commit: (name: ChainId) => Promise<void>,
  ): Promise<LayersResult> {
    const { records, lease } = this.#options
    const id = crypto.randomUUID()
    const name = `build step ${id}` as ChainId
    // the collector may run between the commit and the record
    lease.addSnapshot(name)
    lease.addSnapshot(id)
    await commit(name)
    crashPoint("build:committed")
    records.insert({ ...record, id, parentId: parentOf(root), snapshot: name }, keys)
    crashPoint("build:recorded")
    return { kind: "layers", identity: `step ${id}`, layers: [...root.layers, { kind: "step", id }] }
  }

  /** Calls with the top snapshot's name, again when another build has just given it its final one. */
  async #onTop<T>(layers: LayersResult, call: (top: ChainId | undefined) => Promise<T>): Promise<T> {
    for (;;) {
      const top = this.topSnapshot(layers)
      try {
        return await call(top)
      } catch (error) {
        if (!isSkiffError(error, "NotFound") || this.topSnapshot(layers) === top) throw error
      }
    }
  }

  /** The first file of the result's top layer that the layer `earlier` has otherwise. */
  async firstChangedFile(result: LayersResult, earlier: ChainId): Promise<string | undefined> {
    const { records, snapshots } = this.#options
    const paths = records.transaction(() => {
      const top = this.topSnapshot(result)
      return top === undefined || !snapshots.has(earlier) ? [] : [top, earlier].map((name) => snapshots.diffPath(name))
    })
    const [now, before] = paths
    if (now === undefined || before === undefined) return undefined
    const { firstChangedFile } = await import("./first-changed-file.ts")
    return firstChangedFile(now, before, EXPLAIN_MS)
  }

  has(snapshot: ChainId): boolean {
    return this.#options.snapshots.has(snapshot)
  }

  topSnapshot({ layers }: LayersResult): ChainId | undefined {
    const top = layers.at(-1)
    if (top === undefined) return undefined
    return top.kind === "base" ? top.chainId : this.#options.records.get(top.id).snapshot
  }
}

/** What may be spent on one step to name a file. */
const EXPLAIN_MS = 20

function parentOf({ layers }: LayersResult): string | undefined {
  const top: Layer | undefined = layers.at(-1)
  return top?.kind === "step" ? top.id : undefined
}
