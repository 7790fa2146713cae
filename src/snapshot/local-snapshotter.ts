import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Bytes } from "../base/bytes.ts"
import { FailedPrecondition } from "../base/errors.ts"
import type { ChainId } from "../spec/digest.ts"
import type { Mount } from "../sys/fs/mount.ts"
import { clampTimes } from "../sys/fs/clamp-times.ts"
import { bootId } from "../sys/process/process.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { treeUsage } from "../sys/fs/tree-usage.ts"
import { openLayerContents } from "./layer-contents.ts"
import { openOwnFiles } from "./own-files.ts"
import { readChanges } from "./read-changes.ts"
import { formOf, openMount, readLayer, type ReadLayerOptions } from "./read-layer.ts"
import { directoryOf, type LayerRow, type SnapshotRecords } from "./records.ts"
import type {
  ChangesOptions,
  DiffOptions,
  FileChange,
  KeptFile,
  LayerContents,
  LayerDiff,
  OwnFiles,
  PrepareOptions,
  SnapshotInfo,
  Snapshotter,
  Stage,
} from "./snapshot.ts"

/** Of `st_blocks`. */
const BLOCK_BYTES = 512

/** What lies beside a snapshot's files. */
const KEPT = [
  "tar-split",
  "explore-index",
  "explore-figures",
  "packages",
  "vulnerabilities",
] as const satisfies readonly ("tar-split" | KeptFile)[]

/** What differs between the drivers. Directories are those of snapshots, with `diff` inside; they are hostile. */
export interface LayerDriver {
  readonly name: Snapshotter["driver"]
  /** Makes what a new active snapshot needs beside its empty `diff`. */
  prepare(directory: string, parentDirectory: string | undefined, signal?: AbortSignal): Promise<void>
  /** Brings an extracted layer, whiteouts in overlay's form, into the driver's own form. */
  publish(directory: string, parentDirectory: string | undefined, signal?: AbortSignal): Promise<void>
  /** Whether the layer at `directory` hides all that is under it. */
  isOpaque(directory: string): boolean
  /** Lets a volatile active snapshot be mounted again after an unmount in the same boot. */
  reopenVolatile?(directory: string): void
  /** `lower`: the snapshots below, nearest first. */
  mount(layersDirectory: string, row: LayerRow, lower: readonly LayerRow[]): Mount
}

/**
 * Snapshots as directories `layers/<short id>/diff` and rows. The row comes before the directory and goes before it, so a directory
 * without a row is garbage at any time; `sweep` removes those.
 */
export class LocalSnapshotter implements Snapshotter {
  readonly driver: Snapshotter["driver"]
  readonly #layers: string
  readonly #records: SnapshotRecords
  readonly #driver: LayerDriver

  constructor(layers: string, records: SnapshotRecords, driver: LayerDriver) {
    this.#layers = layers
    this.#records = records
    this.#driver = driver
    this.driver = driver.name
  }

  has(name: ChainId): boolean {
    return this.#records.find(name)?.kind === "committed"
  }

  info(name: string): SnapshotInfo {
    return this.#records.infoOf(this.#records.get(name))
  }

  list(): SnapshotInfo[] {
    return this.#records.all().map((row) => this.#records.infoOf(row))
  }

  async stage(key: string): Promise<Stage> {
    const left = this.#records.find(key)
    this.#records.dropStage(key)
    if (left !== undefined) await removeTree(this.#directory(left))
    const row = this.#records.insert(key, "stage")
    return { path: this.#makeDiff(row), tarSplit: this.#tarSplit(row) }
  }

  async commitStage(name: ChainId, key: string, parent?: ChainId, signal?: AbortSignal): Promise<void> {
    const row = this.#records.find(key)
    if (row === undefined && this.has(name)) return // repeated after a kill
    const stage = row ?? this.#records.get(key)
    if (!this.has(name)) await this.#driver.publish(this.#directory(stage), this.#parentDirectory(parent), signal)
    const opaqueRoot = this.#driver.isOpaque(this.#directory(stage))
    if (this.#records.rename(key, name, { parent, setParent: true, opaqueRoot })) return
    // another pull of the same layer may have been first: its copy is as good, ours goes
    const first = this.#records.get(name)
    if (existsSync(this.#tarSplit(stage)) && !existsSync(this.#tarSplit(first)))
      renameSync(this.#tarSplit(stage), this.#tarSplit(first))
    await removeTree(this.#directory(stage))
  }

  async prepare(key: string, parent?: ChainId, options: PrepareOptions = {}): Promise<Mount> {
    await this.#records.whenFree(options.signal)
    const row = this.#records.insert(key, "active", parent, options)
    this.#makeDiff(row)
    await this.#driver.prepare(this.#directory(row), this.#parentDirectory(parent), options.signal)
    return this.#mountOf(row)
  }

  async view(key: string, parent?: ChainId): Promise<Mount> {
    const row = this.#records.insert(key, "view", parent)
    this.#makeDiff(row)
    return this.#mountOf(row)
  }

  async commit(name: ChainId, key: string): Promise<void> {
    const row = this.#records.find(key)
    if (row === undefined && this.has(name)) return
    const active = row ?? this.#records.get(key)
    const opaqueRoot = this.#driver.isOpaque(this.#directory(active))
    const kept = this.#records.rename(key, name, { setParent: false, opaqueRoot })
    await removeTree(kept ? join(this.#directory(active), "work") : this.#directory(active))
  }

  rename(from: string, to: ChainId): boolean {
    return this.#records.renameCommitted(from, to)
  }

  diff(name: string, options: DiffOptions = {}): LayerDiff {
    const { since, leaveOutEmpty, signal } = options
    return readLayer({ ...this.#compared(name, since), leaveOutEmpty, signal })
  }

  changes(name: string, { since, signal }: ChangesOptions = {}): AsyncIterable<FileChange> {
    return readChanges({ ...this.#compared(name, since), signal })
  }

  #compared(name: string, since: string | undefined): ReadLayerOptions {
    const row = this.#records.get(name)
    const view = (of: LayerRow): Mount => this.#driver.mount(this.#layers, { ...of, kind: "view" }, this.#chainOf(of))
    if (since !== undefined) {
      const base = since === "nothing" ? undefined : view(this.#records.get(since))
      return { changed: view(row), base, form: { kind: "whole" } }
    }
    const below = this.#records.chainBelow(row)
    const base = below.length === 0 ? undefined : this.#driver.mount(this.#layers, { ...row, kind: "view" }, below)
    return { changed: join(this.#directory(row), "diff"), base, form: formOf(this.driver) }
  }

  original(name: ChainId): Bytes | undefined {
    const row = this.#records.get(name)
    const tarSplit = this.#tarSplit(row)
    if (!existsSync(tarSplit)) return undefined
    const files = join(this.#directory(row), "diff")
    return (async function* () {
      const { joinTarSplit } = await import("../archive/archive.ts")
      yield* joinTarSplit(tarSplit, files, { reuse: true })
    })()
  }

  mount(key: string): Mount {
    const row = this.#records.get(key)
    if (row.volatile === 1) this.#reopenVolatile(row)
    return this.#mountOf(row)
  }

  async clampTimes(key: string, epoch: number): Promise<void> {
    const { parent } = this.info(key)
    // a whole copy holds what it has not changed as well
    const base = this.driver === "native" && parent !== undefined ? this.diffPath(parent) : undefined
    await clampTimes(this.diffPath(key), epoch, base)
  }

  diffPath(name: string): string {
    return join(this.#directory(this.#records.get(name)), "diff")
  }

  keptFile(name: ChainId, file: KeptFile): string {
    return join(this.#directory(this.#records.get(name)), file)
  }

  ownFiles(name: string): OwnFiles {
    const { parent } = this.info(name)
    const isWhole = this.driver === "native" && parent !== undefined
    return openOwnFiles(this.diffPath(name), isWhole ? this.diffPath(parent) : undefined)
  }

  open(name: string): Disposable & { path: string } {
    const row = this.#records.get(name)
    return openMount(this.#driver.mount(this.#layers, { ...row, kind: "view" }, this.#chainOf(row)))
  }

  contents(name: string): LayerContents {
    const row = this.#records.get(name)
    return openLayerContents(join(this.#directory(row), "diff"), this.#tarSplit(row))
  }

  async usage(name: string, signal?: AbortSignal): Promise<{ bytes: number; inodes: number }> {
    const row = this.#records.get(name)
    const { bytes, inodes } = await treeUsage(join(this.#directory(row), "diff"), signal)
    const beside = KEPT.flatMap((file) => statSync(join(this.#directory(row), file), { throwIfNoEntry: false }) ?? [])
    const kept = beside.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0)
    return { bytes: bytes + kept, inodes: inodes + beside.length }
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    await this.#records.whenFree(signal)
    const row = this.#records.find(name)
    if (row === undefined) return
    this.#records.forget(name)
    await removeTree(this.#directory(row), signal)
  }

  forget(name: string): void {
    this.#records.forget(name)
  }

  async sweep(signal?: AbortSignal): Promise<number> {
    // directories first, rows second: a snapshot made in between is known
    const directories = readdirSync(this.#layers)
    const known = new Set(this.#records.all().map(directoryOf))
    const garbage = directories.filter((directory) => !known.has(directory))
    for (const directory of garbage) await removeTree(join(this.#layers, directory), signal)
    return garbage.length
  }

  /** overlayfs.rst, "Volatile mount": what was not synced may be broken by a crash of the machine, and by nothing else. */
  #reopenVolatile(row: LayerRow): void {
    if (row.owner_boot_id !== bootId())
      throw new FailedPrecondition(`the files of "${row.name}" did not survive the reboot`, {
        hint: "it was created with automatic removal: remove it",
      })
    this.#driver.reopenVolatile?.(this.#directory(row))
  }

  #mountOf(row: LayerRow): Mount {
    return this.#driver.mount(this.#layers, row, this.#records.chainBelow(row))
  }

  /** All that is seen of a snapshot, itself first. */
  #chainOf(row: LayerRow): LayerRow[] {
    return row.opaque_root === 1 ? [row] : [row, ...this.#records.chainBelow(row)]
  }

  #directory(row: LayerRow): string {
    return join(this.#layers, directoryOf(row))
  }

  #tarSplit(row: LayerRow): string {
    return join(this.#directory(row), "tar-split")
  }

  #parentDirectory(parent: ChainId | undefined): string | undefined {
    return parent === undefined ? undefined : this.#directory(this.#records.get(parent))
  }

  #makeDiff(row: LayerRow): string {
    const diff = join(this.#directory(row), "diff")
    // 0700 above it keeps other users out (CVE-2021-41091); the root of the file system itself is for all
    mkdirSync(this.#directory(row), { mode: 0o700 })
    mkdirSync(diff, { mode: 0o755 })
    return diff
  }
}
