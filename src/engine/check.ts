/**
 * Whether the store holds what its records say: rows, blobs by their digests, layers by the digests of their archives, containers,
 * volumes, and nothing that no record knows. A repair removes what is damaged, so that it can be pulled or made anew.
 */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import { isSkiffError } from "../base/errors.ts"
import type { Database } from "../base/database.ts"
import type { Builds } from "../build/build.ts"
import type { Containers } from "../container/container.ts"
import type { Bytes, ContentStore } from "../content/content.ts"
import { familiarName, type Image, type Images } from "../image/image.ts"
import type { Snapshotter } from "../snapshot/snapshot.ts"
import type { Digest } from "../spec/digest.ts"
import type { Volumes } from "../volume/volume.ts"

/** Something that is not as the records say. */
export interface StoreFault {
  kind: "records" | "image" | "container" | "volume"
  /** Of the image, container or volume. */
  id: string
  name: string
  problem: string
  /** What a repair did about it; undefined: it is as it was. */
  repaired?: "removed" | "made anew"
}

export interface CheckRequest extends Cancellable {
  /** Looks whether all is there, and reads no contents. */
  quick?: boolean
  /** Removes damaged images that no container uses, and makes directories of volumes anew. */
  repair?: boolean
  /** Also damaged containers, and those of damaged images. */
  force?: boolean
}

export interface CheckReport {
  faults: StoreFault[]
  checked: { images: number; containers: number; volumes: number; layers: number; blobs: number }
}

/** What is checked. */
export interface CheckDeps {
  db: Database
  images: Images
  containers: Containers
  volumes: Volumes
  builds: Builds
  snapshots: Snapshotter
  content: ContentStore
  /** The blobs of each image that have files. */
  imageBlobs(): ReadonlyMap<Digest, readonly Digest[]>
}

/** Reads everything, unless `quick`. What goes meanwhile is no fault. */
export async function checkStore(deps: CheckDeps, request: CheckRequest = {}): Promise<CheckReport> {
  const check = new Check(deps, request)
  check.records()
  for (const image of deps.images.list()) await check.image(image)
  for (const container of deps.containers.list({ all: true })) check.container(container)
  for (const volume of deps.volumes.list()) check.volume(volume)
  if (request.repair || request.force) await check.repair()
  return check.report
}

class Check {
  readonly report: CheckReport = {
    faults: [],
    checked: { images: 0, containers: 0, volumes: 0, layers: 0, blobs: 0 },
  }
  readonly #deps: CheckDeps
  readonly #request: CheckRequest
  /** What each layer or blob was found to be: shared ones are read once. */
  readonly #known = new Map<string, string | undefined>()

  constructor(deps: CheckDeps, request: CheckRequest) {
    this.#deps = deps
    this.#request = request
  }

  records(): void {
    const pragma = this.#request.quick ? "quick_check" : "integrity_check"
    for (const row of this.#deps.db.all<Record<string, string>>(`PRAGMA ${pragma}`))
      for (const problem of Object.values(row))
        if (problem !== "ok") this.#fault({ kind: "records", id: "", name: "records", problem })
  }

  async image(image: Image): Promise<void> {
    this.report.checked.images++
    const tell = (problem: string | undefined): void => {
      if (problem !== undefined) this.#fault({ kind: "image", id: image.id, name: nameOf(image), problem })
    }
    for (const digest of this.#deps.imageBlobs().get(image.id) ?? [])
      tell(await this.#once(digest, () => this.#blob(digest)))
    const layers = this.#deps.images.layers(image)
    const diffIds = await this.#diffIds(image, tell)
    for (const [index, { chainId }] of layers.entries())
      tell(await this.#once(chainId, () => this.#layer(chainId, diffIds[index])))
  }

  container({ id, name, state }: ReturnType<Containers["list"]>[number]): void {
    this.report.checked.containers++
    try {
      const path = this.#deps.snapshots.diffPath(id)
      if (!existsSync(path) && state.status !== "removing")
        this.#fault({ kind: "container", id, name, problem: "the directory of what it wrote is missing" })
    } catch (error) {
      // one that has no layer of its own, or is gone by now
      if (!isSkiffError(error, "NotFound")) throw error
    }
  }

  volume({ name, mountpoint }: ReturnType<Volumes["list"]>[number]): void {
    this.report.checked.volumes++
    // a plugin says where its files are when they are mounted
    if (mountpoint !== "" && !existsSync(mountpoint))
      this.#fault({ kind: "volume", id: name, name, problem: "its directory is missing" })
  }

  /** Containers first: an image that is in use stays. */
  async repair(): Promise<void> {
    const { containers, volumes, images, builds, snapshots } = this.#deps
    const of = (kind: StoreFault["kind"]) => this.report.faults.filter((fault) => fault.kind === kind)
    const damaged = new Set(of("image").map(({ id }) => id))
    if (this.#request.force) {
      const users = containers.list({ all: true }).filter(({ imageId }) => damaged.has(imageId))
      const broken = new Set([...of("container"), ...users].map(({ id }) => id))
      for (const id of broken) await this.#try(() => containers.remove(id, { force: true }))
      for (const fault of of("container")) fault.repaired = "removed"
    }
    for (const id of damaged) await this.#try(() => images.remove(id, { force: true }))
    // a build would take a damaged layer up again
    const layers = [...this.#known].filter(([, problem]) => problem !== undefined).map(([name]) => name)
    if (layers.some((name) => snapshots.has(name as never)))
      await builds.prune({ all: true, signal: this.#request.signal })
    for (const fault of of("image")) if (images.find(fault.id) === undefined) fault.repaired = "removed"
    for (const fault of of("volume")) {
      await volumes.create({ name: fault.name })
      fault.repaired = "made anew"
    }
  }

  /** What cannot be removed is still a fault then. */
  async #try(act: () => Promise<unknown>): Promise<void> {
    throwIfAborted(this.#request.signal, "the repair")
    try {
      await act()
    } catch (error) {
      if (!isSkiffError(error, "NotFound") && !isSkiffError(error, "FailedPrecondition")) throw error
    }
  }

  async #diffIds(image: Image, tell: (problem: string) => void): Promise<readonly string[]> {
    try {
      await this.#deps.images.manifest(image)
      return (await this.#deps.images.config(image)).rootfs.diff_ids
    } catch (error) {
      tell(errorText(error))
      return []
    }
  }

  async #blob(digest: Digest): Promise<string | undefined> {
    const { content } = this.#deps
    if (!content.has(digest)) return undefined // its bytes are made of the layer's files
    this.report.checked.blobs++
    if (this.#request.quick) return existsSync(content.path(digest)) ? undefined : `the blob ${digest} is missing`
    return (await this.#digestOf(content.read(digest))) === digest ? undefined : `the blob ${digest} holds other bytes`
  }

  async #layer(chainId: Parameters<Snapshotter["has"]>[0], diffId: string | undefined): Promise<string | undefined> {
    const { snapshots } = this.#deps
    this.report.checked.layers++
    if (!snapshots.has(chainId) || !existsSync(snapshots.diffPath(chainId))) return `the layer ${chainId} is missing`
    if (this.#request.quick || diffId === undefined) return undefined
    try {
      const bytes = snapshots.original(chainId) ?? snapshots.diff(chainId, { signal: this.#request.signal })
      return (await this.#digestOf(bytes)) === diffId ? undefined : `files of the layer ${chainId} were changed`
    } catch (error) {
      throwIfAborted(this.#request.signal, "the check")
      return errorText(error)
    }
  }

  async #digestOf(bytes: Bytes): Promise<string> {
    const hash = createHash("sha256")
    for await (const chunk of bytes) {
      throwIfAborted(this.#request.signal, "the check")
      hash.update(chunk)
    }
    return `sha256:${hash.digest("hex")}`
  }

  async #once(name: string, look: () => Promise<string | undefined>): Promise<string | undefined> {
    if (!this.#known.has(name)) this.#known.set(name, await look())
    return this.#known.get(name)
  }

  #fault(fault: StoreFault): void {
    this.report.faults.push(fault)
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function nameOf({ id, tags }: Image): string {
  const [tag] = tags
  return tag === undefined ? id : familiarName(tag)
}
