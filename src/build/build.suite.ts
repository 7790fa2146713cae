/** A store of its own with a tiny base image, and builds in it, for the tests of this directory. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { openSnapshotter } from "../snapshot/open.ts"
import { openEngine } from "../engine/open.ts"
import type { Engine } from "../engine/engine.ts"
import type { Image } from "../image/image.ts"
import { mountPointsBelow, unmount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import { resolveBuild } from "./build-options.ts"
import type { BuildEvent, BuildRequest, BuildResult } from "./build.ts"

/** Why these tests cannot run here; undefined when they can. */
export const missing = process.getuid?.() === 0 ? undefined : "not root"
if (missing !== undefined) console.warn(`skipped: builds on the real kernel: ${missing}`)

/** What a build told. */
export interface Collected extends BuildResult {
  events: BuildEvent[]
  /** The names of the steps that ran, were cached. */
  ran: string[]
  cached: string[]
  reasons: Record<string, string>
  log: string
}

export type PartRequest = Partial<BuildRequest> & { text?: string }

export class BuildLab implements AsyncDisposable {
  readonly directory: string
  readonly context: string
  engine: Engine

  constructor() {
    this.directory = mkdtempSync("/tmp/skiff-build-")
    this.context = join(this.directory, "context")
    mkdirSync(this.context)
    this.engine = openEngine({ root: join(this.directory, "root"), runRoot: join(this.directory, "run") })
  }

  /** A lab whose store has the image `base`: busybox. */
  static async open(driver?: "native"): Promise<BuildLab> {
    const lab = new BuildLab()
    if (driver !== undefined) await lab.#useDriver(driver)
    await (await lab.engine.images()).bootstrap({ base: "busybox", names: ["base"] })
    return lab
  }

  /** Of an empty store: as if this host could mount no more than that. */
  async #useDriver(driver: "native"): Promise<void> {
    const root = join(this.directory, "root")
    await this.engine.images()
    using db = new Database(join(root, "skiff.db"))
    await openSnapshotter({ root, db, rootless: false, driver })
    this.reopen()
  }

  /** Another engine of the same store, as another process has it. */
  reopen(): void {
    this.engine = openEngine({ root: join(this.directory, "root"), runRoot: join(this.directory, "run") })
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.context, name), text)
  }

  request({ text = "", ...part }: PartRequest): BuildRequest {
    return requestOf(text, this.context, part)
  }

  async build(text: string, part: Partial<BuildRequest> = {}): Promise<Collected> {
    const events: BuildEvent[] = []
    const builds = await this.engine.builds()
    const result = await builds.build(this.request({ text, ...part }), (event) => void events.push(event))
    return { ...result, ...collected(events), events }
  }

  async image(built: BuildResult): Promise<Image> {
    const [image] = built.images
    if (image === undefined) throw new Error("no image was built")
    return image
  }

  /** What the image shows under `path`. */
  async read(built: BuildResult, path: string): Promise<string> {
    const directory = mkdtempSync(join(this.directory, "read-"))
    const [image] = built.images
    const builds = await this.engine.builds()
    await builds.build(
      this.request({ text: `FROM ${image?.id ?? ""}`, outputs: [{ type: "local", path: directory }] }),
      () => {},
    )
    return readFileSync(join(directory, path), "utf8")
  }

  /** What a build must not leave: mounts below the store, directories, active snapshots. */
  leftovers(): string[] {
    const mounts = mountPointsBelow(this.directory).filter((path) => path.includes("/builds/"))
    const directories = readdirSync(join(this.directory, "root", "builds"))
    const locks = readdirSync(join(this.directory, "root", "builds.locks"))
    return [...mounts, ...directories, ...locks]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]()
    for (const path of mountPointsBelow(this.directory)) unmount(path)
    removeTreeSync(this.directory)
  }
}

export function requestOf(text: string, context: string, part: Partial<BuildRequest> = {}): BuildRequest {
  return resolveBuild({
    dockerfile: { text, name: "Dockerfile" },
    context: { kind: "directory", path: context },
    pull: "never",
    network: "none",
    ...part,
  })
}

function collected(events: readonly BuildEvent[]): Pick<Collected, "ran" | "cached" | "reasons" | "log"> {
  const names = new Map<number, string>()
  const [ran, cached]: [string[], string[]] = [[], []]
  const reasons: Record<string, string> = {}
  let log = ""
  for (const event of events) {
    if (event.kind === "vertex") names.set(event.vertex, event.name)
    const name = "vertex" in event ? (names.get(event.vertex) ?? "") : ""
    if (event.kind === "done" && name.startsWith("[") && !name.startsWith("[internal]")) ran.push(name)
    if (event.kind === "cached") cached.push(name)
    if (event.kind === "miss") reasons[name] = event.reason
    if (event.kind === "log") log += Buffer.from(event.bytes).toString()
  }
  return { ran, cached, reasons, log }
}
