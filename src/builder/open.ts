import { existsSync, mkdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { heeding, type Cancellable } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { NotFound } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import { FileLocks } from "../sys/fs/file-locks.ts"
import { isMountPoint, mountOrFind, unmount } from "../sys/fs/mount.ts"
import { hostPlatform } from "../spec/platform.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import type { BuilderDeps } from "./deps.ts"
import { changeConfig } from "./change-config.ts"
import { commitWorking } from "./commit.ts"
import { copyInto } from "./copy-into.ts"
import type { FilesTools } from "./files-of.ts"
import { withHistory } from "./history.ts"
import { runWorking } from "./run.ts"
import { idOfKey, WorkingRecords, workingKey, type WorkingRecord } from "./records.ts"
import type {
  ConfigChanges,
  FromOptions,
  WorkingImage,
  WorkingCommit,
  WorkingContainer,
  WorkingContainers,
  WorkingCopy,
  WorkingRun,
} from "./builder.ts"

const SCRATCH = "scratch"
/** As lists show them. */
const SHORT_ID = 12

/** Working containers on the stores of `deps`. */
export function openWorking(deps: BuilderDeps): WorkingContainers {
  return new LocalWorking(deps)
}

class LocalWorking implements WorkingContainers {
  readonly #deps: BuilderDeps
  readonly #records: WorkingRecords
  readonly #locks: FileLocks

  constructor(deps: BuilderDeps) {
    this.#deps = deps
    this.#records = new WorkingRecords(deps.db)
    this.#locks = new FileLocks(join(deps.root, "working.locks"), "working container")
  }

  async from(imageName: string, options: FromOptions): Promise<WorkingContainer> {
    const { images, snapshots, leases } = this.#deps
    await using lease = await leases.open()
    const base = imageName === SCRATCH ? undefined : await this.#base(imageName, options)
    if (base !== undefined) images.used(images.get(base.id))
    const top = base && images.get(base.id).topLayer
    if (top !== undefined) lease.addSnapshot(top)
    await this.#sweep()
    const id = randomHex(32)
    using lock = await this.#locks.acquire(id)
    await using undo = new AsyncDisposableStack()
    await snapshots.prepare(workingKey({ id }), top)
    undo.defer(() => snapshots.remove(workingKey({ id })))
    undo.defer(() => lock.unlink())
    crashPoint("working:prepared")
    const record = this.#records.insert(
      {
        id,
        imageName,
        imageId: base?.id,
        createdAt: new Date(),
        mounted: false,
        workingImage: workingImageOf(base?.config, options),
        defaults: options.defaults ?? {},
      },
      {
        base: `${lastComponent(imageName)}-working-container`,
        ...(options.name === undefined ? {} : { name: options.name }),
      },
    )
    undo.move()
    return this.#toContainer(record)
  }

  list(): WorkingContainer[] {
    return this.#records.list().map((record) => this.#toContainer(record))
  }

  get(nameOrId: string): WorkingContainer {
    return this.#toContainer(this.#records.get(nameOrId))
  }

  async run(nameOrId: string, run: WorkingRun): Promise<void> {
    await this.#changing(nameOrId, run, async (record) => {
      await using root = this.#root(record)
      await runWorking(root.path, record, run, this.#filesTools(record, run))
      if (run.addHistory) this.#records.setImage(record.id, withHistory(record.workingImage, run.argv.join(" ")))
    })
  }

  async copy(nameOrId: string, copy: WorkingCopy): Promise<string | undefined> {
    return await this.#changing(nameOrId, copy, async (record) => {
      await using root = this.#root(record)
      const workdir = record.workingImage.config.WorkingDir || "/"
      const digest = copy.digest || copy.addHistory
      const copied = await copyInto(root.path, workdir, { ...copy, digest }, this.#filesTools(record, copy))
      if (copied === undefined) return undefined
      const words = `#(nop) ${copy.unpack ? "ADD" : "COPY"} ${copied.kind}:${copied.digest}`
      if (copy.addHistory) this.#records.setImage(record.id, withHistory(record.workingImage, words))
      return copied.digest
    })
  }

  async configure(nameOrId: string, changes: ConfigChanges, cancellable: Cancellable = {}): Promise<void> {
    await this.#changing(nameOrId, cancellable, async ({ id, workingImage }) =>
      this.#records.setImage(id, changeConfig(workingImage, changes)),
    )
  }

  async mount(nameOrId: string, cancellable: Cancellable = {}): Promise<string> {
    return await this.#changing(nameOrId, cancellable, async (record) => {
      this.#records.setMounted(record.id, true)
      crashPoint("working:marked-mounted")
      return this.#ensureMounted(record)
    })
  }

  async unmount(nameOrId: string, cancellable: Cancellable = {}): Promise<void> {
    await this.#changing(nameOrId, cancellable, async ({ id }) => {
      this.#records.setMounted(id, false)
      this.#dropMount(id)
    })
  }

  async commit(nameOrId: string, commit: WorkingCommit): ReturnType<WorkingContainers["commit"]> {
    return await this.#changing(nameOrId, commit, (record) => commitWorking(this.#deps, record, commit))
  }

  rename(nameOrId: string, name: string): void {
    this.#records.rename(this.#records.get(nameOrId).id, name)
  }

  async remove(nameOrId: string, { signal }: Cancellable = {}): Promise<void> {
    const { id, name } = this.#records.get(nameOrId)
    await heeding(signal, `the removal of working container "${name}"`, () => this.#remove(id, signal))
  }

  /** In this order: cut short anywhere, it is done by the next. */
  async #remove(id: string, signal: AbortSignal | undefined): Promise<void> {
    using lock = await this.#locks.acquire(id, { signal })
    this.#dropMount(id)
    await this.#deps.snapshots.remove(workingKey({ id }), signal)
    crashPoint("working:snapshot-removed")
    this.#records.delete(id)
    lock.unlink()
  }

  /** Snapshots that a killed `from` left: nobody holds their lock, and no row has them. */
  async #sweep(): Promise<void> {
    for (const { name } of this.#deps.snapshots.list()) {
      const id = idOfKey(name)
      if (id === undefined || this.#records.has(id)) continue
      using lock = this.#locks.tryAcquire(id)
      if (lock === undefined || this.#records.has(id)) continue
      await this.#deps.snapshots.remove(name)
      lock.unlink()
    }
  }

  /** Under the container's lock, with its row as it is then. */
  async #changing<T>(
    nameOrId: string,
    { signal }: Cancellable,
    body: (record: WorkingRecord) => Promise<T>,
  ): Promise<T> {
    const { id, name } = this.#records.get(nameOrId)
    return await heeding(signal, `the change of working container "${name}"`, async () => {
      using _ = await this.#locks.acquire(id, { signal })
      return await body(this.#records.get(id))
    })
  }

  /** For a command that has the lock of `own`. */
  #filesTools(own: WorkingRecord, { signal }: Cancellable): FilesTools {
    const rootOf = async (name: string): Promise<AsyncDisposable & { path: string }> => {
      const { id, name: found } = this.#records.get(name)
      // a short name of an image may be the beginning of some id
      if (found !== name && name.length < SHORT_ID) throw new NotFound(`no such working container: "${name}"`)
      if (id === own.id) return { path: this.#ensureMounted(own), [Symbol.asyncDispose]: async () => {} }
      await using stack = new AsyncDisposableStack()
      stack.use(await this.#locks.acquire(id, { signal }))
      const { path } = stack.use(this.#root(this.#records.get(id)))
      const owned = stack.move()
      return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    }
    return { deps: this.#deps, rootOf, signal }
  }

  /** Its files for the time of a command, on the mount that is there or on one that goes again. */
  #root(record: WorkingRecord): AsyncDisposable & { path: string } {
    const path = this.#ensureMounted(record)
    return {
      path,
      [Symbol.asyncDispose]: async () => {
        if (!record.mounted) this.#dropMount(record.id)
      },
    }
  }

  #ensureMounted(record: WorkingRecord): string {
    const path = this.#mountPoint(record.id)
    if (isMountPoint(path)) return path
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return mountOrFind(path, this.#deps.snapshots.mount(workingKey(record)))
  }

  #dropMount(id: string): void {
    const path = this.#mountPoint(id)
    if (unmount(path) || existsSync(path)) rmdirSync(path)
  }

  #mountPoint(id: string): string {
    return join(this.#deps.root, "working", id)
  }

  #toContainer({ mounted, ...record }: WorkingRecord): WorkingContainer {
    const path = this.#mountPoint(record.id)
    return { ...record, mountPoint: mounted && isMountPoint(path) ? path : undefined }
  }

  async #base(name: string, { platform = hostPlatform(), onProgress, signal, ...request }: FromOptions) {
    const progress = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) }
    return await this.#deps.resolveBase(this.#deps.images, name, platform, request, progress)
  }
}

function workingImageOf(config: ImageConfig | undefined, { platform = hostPlatform() }: FromOptions): WorkingImage {
  if (!config) return { ...platform, config: {}, annotations: {} }
  const { rootfs: _, history: __, created: ___, config: run = {}, ...about } = config
  return { ...about, config: run, annotations: {} }
}

/** `registry/a/debian:12@sha256:…` → `debian`. */
function lastComponent(imageName: string): string {
  const name = (imageName.split("@")[0] ?? "").split("/").at(-1)?.split(":")[0] ?? ""
  return name.replaceAll(/[^a-zA-Z0-9_.-]/g, "") || "image"
}
