/** An executor with a store of its own and a root file system to work on, for the tests of this directory. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../../base/database.ts"
import { hostsFile, resolvConf } from "../../network/container-files.ts"
import { openNetworks } from "../../network/open.ts"
import { reapBridges } from "../../network/reap-bridges.ts"
import { networkSchema } from "../../network/schema.ts"
import { whyNot } from "../../runtime/lab.suite.ts"
import { openRuntimes } from "../../runtime/open.ts"
import { mountAt, unmount } from "../../sys/fs/mount.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../../sys/net/netlink.ts"
import { removeTreeSync } from "../../sys/fs/remove-tree.ts"
import type { FileAction, FilesOperation, RunMount, RunOperation } from "../plan/definition.ts"
import { openExecutor } from "./open-executor.ts"
import type { RunSettings, Source, WorkContext, Executor } from "./executor.ts"
import { BuildDirectories } from "../build-directories.ts"
import type { BuildDirectory } from "../build-directory.ts"
import type { ExecutorDeps } from "./deps.ts"

export const host = {
  root: process.getuid?.() === 0,
  busybox: ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path)),
}

/** Why these tests cannot run here; undefined when they can. */
export const missing = !host.root ? "not root" : host.busybox === undefined ? "no busybox" : undefined
if (missing !== undefined) console.warn(`skipped: build/work on the real kernel: ${missing}`)

/** Why RUN cannot be tried by this runtime here, printed; undefined when it can. */
export function whyNotBy(runtime: string): string | undefined {
  const reason = missing ?? whyNot(runtime)
  if (reason === false) return undefined
  console.log(`skipped: RUN by ${runtime}: ${reason}`)
  return reason
}

export interface LabOptions {
  /** Of another lab, whose store is shared. */
  directory?: string
  /** By which containers run; by default the one that the engine takes here. */
  runtime?: string
}

export class Lab implements AsyncDisposable {
  readonly directory: string
  readonly deps: ExecutorDeps
  readonly runRoot: string
  readonly directories: BuildDirectories
  readonly build: BuildDirectory
  readonly executor: Executor
  readonly log: string[] = []
  readonly context: WorkContext
  readonly runtime: string | undefined
  readonly #db: Database
  readonly #mounts: string[] = []

  constructor({ directory, runtime }: LabOptions = {}) {
    this.runtime = runtime
    this.directory = directory ?? mkdtempSync(join(tmpdir(), "skiff-work-"))
    const [root, runRoot] = ["root", "run"].map((name) => this.makeDirectory(name))
    this.#db = new Database(join(root ?? "", "skiff.db"))
    this.#db.migrate([networkSchema])
    const runtimes = openRuntimes({ root: root ?? "", runRoot: runRoot ?? "" })
    const networks = openNetworks({ db: this.#db, runRoot: runRoot ?? "" })
    this.runRoot = runRoot ?? ""
    this.deps = {
      root: root ?? "",
      rootless: false,
      runtimes: async () => runtimes,
      networks: async () => networks,
      files: {
        hosts: (input) => hostsFile({ ...input, hostText: undefined }),
        resolvConf: ({ kind }) =>
          resolvConf({ kind, hostText: "nameserver 192.0.2.1\n", dns: [], search: [], options: [] }),
      },
    }
    this.directories = new BuildDirectories({
      ...this.deps,
      snapshots: NO_SNAPSHOTS,
      sweepCommand: () => ["/bin/true"],
    })
    this.build = this.directories.open()
    this.executor = openExecutor(this.deps, this.build)
    this.context = {
      onLog: (_, bytes) => void this.log.push(Buffer.from(bytes).toString()),
      onProgress: () => {},
    }
  }

  /** How many there are in the records of the network. */
  endpoints(): number {
    return this.#db.get<{ count: number }>("SELECT count(*) AS count FROM network_endpoints")?.count ?? 0
  }

  get output(): string {
    return this.log.join("")
  }

  makeDirectory(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Files by their names; one that ends with `/` is a directory, one that begins with `->` a link. */
  makeFiles(name: string, files: Record<string, string>): string {
    const top = this.makeDirectory(name)
    for (const [path, text] of Object.entries(files)) {
      const full = join(top, path)
      mkdirSync(join(full, ".."), { recursive: true })
      if (path.endsWith("/")) mkdirSync(full, { recursive: true })
      else if (text.startsWith("->")) symlinkSync(text.slice(2), full)
      else writeFileSync(full, text)
    }
    return top
  }

  /** A root with busybox, as an overlay whose upper can be looked at. */
  makeRoot(name = "stage", files: Record<string, string> = {}): { root: string; upper: string } {
    const lower = this.makeFiles(`${name}-lower`, { "etc/passwd": PASSWD, "etc/group": GROUP, "tmp/": "", ...files })
    mkdirSync(join(lower, "bin"), { recursive: true })
    copyFileSync(host.busybox ?? "", join(lower, "bin/busybox"))
    chmodSync(join(lower, "bin/busybox"), 0o755)
    for (const applet of APPLETS) symlinkSync("busybox", join(lower, "bin", applet))
    return this.mountOver(lower, `${name}-merged`)
  }

  /** An overlay over `lower` at `name`. */
  mountOver(lower: string, name: string): { root: string; upper: string } {
    const [root, upper, work] = [name, `${name}-upper`, `${name}-work`].map((part) => this.makeDirectory(part))
    const data = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
    mountAt(root ?? "", { type: "overlay", source: "overlay", data })
    this.#mounts.unshift(root ?? "")
    return { root: root ?? "", upper: upper ?? "" }
  }

  mountTmpfs(path: string, options: string): void {
    mountAt(path, { type: "tmpfs", source: "tmpfs", data: [options] })
    this.#mounts.unshift(path)
  }

  async run(root: string, words: string | readonly string[], options: RunOptions = {}): Promise<void> {
    const { sources = [], settings, signal, ...operation } = options
    await this.executor.run(
      {
        kind: "run",
        argv: typeof words === "string" ? ["/bin/sh", "-c", words] : words,
        env: ["PATH=/bin"],
        cwd: "/",
        user: "",
        mounts: [],
        network: "none",
        security: "sandbox",
        ...operation,
      },
      root,
      [{ path: root, keepsOwners: true }, ...sources],
      { ...NO_SETTINGS, runtime: this.runtime, ...settings },
      { ...this.context, signal },
    )
  }

  async files(
    root: string,
    actions: readonly FileAction[],
    sources: readonly Source[] = [],
    epoch?: number,
  ): Promise<void> {
    const operation: FilesOperation = { kind: "files", actions }
    const all = [{ path: root, keepsOwners: true }, ...sources]
    await this.executor.files(operation, root, all, { ...this.context, ...(epoch === undefined ? {} : { epoch }) })
  }

  /** As a build ends: what its steps had is gone. Safe to repeat. */
  async end(): Promise<void> {
    await this.executor[Symbol.asyncDispose]()
    if (existsSync(this.build.path)) await this.build[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
    for (const path of this.#mounts) unmount(path)
    this.#db[Symbol.dispose]()
    removeTreeSync(this.directory)
    // the bridge and table of a store that is gone
    using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
    reapBridges(route)
  }
}

/** For a process that is killed: runs a step with a mount and a network in the store of another lab, telling what it says. */
export async function openLabExecutor(directory: string, root: string, words: string): Promise<void> {
  const lab = new Lab({ directory })
  Object.assign(lab.context, { onLog: (_: string, bytes: Uint8Array) => writeSync(1, bytes) })
  await lab.run(root, words, {
    network: "default",
    mounts: [{ type: "bind", target: "/mnt", from: 0, source: "/", writable: true }],
  })
}

export interface RunOptions extends Partial<Omit<RunOperation, "mounts">> {
  mounts?: readonly RunMount[]
  sources?: readonly Source[]
  settings?: Partial<RunSettings>
  signal?: AbortSignal
}

/** A COPY of a plan, all defaults. */
export function copy(
  sources: readonly string[],
  target: string,
  more: Partial<Extract<FileAction, { do: "copy" }>> = {},
): FileAction {
  return {
    do: "copy",
    from: 1,
    sources,
    target,
    parents: false,
    exclude: [],
    unpack: false,
    allowEmpty: false,
    contentsOnly: true,
    ...more,
  }
}

const NO_SNAPSHOTS = { list: () => [], remove: async () => {} }

export const NO_SETTINGS: RunSettings = { secrets: [], ssh: [], extraHosts: [], ulimits: [], resources: {} }

const PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"
const GROUP = "root:x:0:\napp:x:1001:\nextra:x:1002:app\n"
const APPLETS =
  "sh true false env ls cat sleep id mkdir rm ln mv echo touch stat hostname ip wc grep mount nc find head df".split(
    " ",
  )
