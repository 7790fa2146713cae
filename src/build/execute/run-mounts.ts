/** `RUN --mount`: each becomes a mount of config.json, made from descriptors that were found inside their roots. */
import { chmodSync, chownSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join, posix } from "node:path"
import { log } from "../../base/log.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import { openInRoot, openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { copyTree } from "../../sys/fs/copy-tree.ts"
import { statOf, type FileType } from "../../sys/fs/directory.ts"
import type { Owner } from "../../sys/fs/image-users.ts"
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../sys/libc.ts"
import { mountAt, MountFlag } from "../../sys/fs/mount.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { callerVariable } from "../../sys/process/caller-environment.ts"
import type { RunMount, RunOperation } from "../plan/definition.ts"
import type { CacheMounts } from "./cache-mounts.ts"
import { CopyIn } from "./copy-tree-in.ts"
import { ownersOf } from "./foreign-owners.ts"
import { inTurns } from "./in-turns.ts"
import { makeDirectories } from "./make-directories.ts"
import type { MountPoint } from "./mount-points.ts"
import { maskExcluded } from "./mask-excluded.ts"
import { sourceFilter } from "./source-filter.ts"
import { mountsDirectory } from "../build-directory.ts"
import type { HostMount } from "../build.ts"
import type { RunSettings, Source } from "./executor.ts"

/** buildkit's: a secret is a key, not a file store. */
const MAX_SECRET_BYTES = 500 * 1024

/** What the mounts of one RUN are made from. */
export interface RunMountsInput {
  operation: RunOperation
  sources: readonly Source[]
  settings: RunSettings
  /** Of the run: its mounts lie below. */
  directory: string
  rootless: boolean
  /** Otherwise all is copied or moved, to be put into the root (places.ts). */
  canMount: boolean
  caches: CacheMounts
  makeScratch(): string
  signal?: AbortSignal
  /** What must be undone after the run, but for the mounts themselves. */
  undo: AsyncDisposableStack
}

/** Mounts for config.json, what they are mounted on, and the variables that tell of them. */
export interface PreparedMounts {
  mounts: OciMount[]
  points: MountPoint[]
  env: string[]
}

interface BoundSource {
  input: Source
  source: string
  writable: boolean
}

type Of<Type extends RunMount["type"]> = Extract<RunMount, { type: Type }>

/** Prepares all mounts of a RUN, in their order. Throws NotFound for a missing source or secret. */
export async function prepareRunMounts(input: RunMountsInput): Promise<PreparedMounts> {
  const preparation = new Preparation(input)
  for (const volume of input.settings.more?.volumes ?? []) await preparation.volume(volume)
  for (const mount of input.operation.mounts) await preparation.add(mount)
  return preparation
}

class Preparation implements PreparedMounts {
  readonly mounts: OciMount[] = []
  readonly points: MountPoint[] = []
  readonly env: string[] = []
  readonly #input: RunMountsInput
  /** In the place of a tmpfs. */
  #directory: string | undefined
  #count = 0

  constructor(input: RunMountsInput) {
    this.#input = input
  }

  async add(mount: RunMount): Promise<void> {
    switch (mount.type) {
      case "bind":
        return this.#bind(mount)
      case "cache":
        return this.#cache(mount)
      case "tmpfs":
        return this.#tmpfs(mount)
      case "secret":
        return this.#secret(mount)
      case "ssh":
        return this.#ssh(mount)
    }
  }

  /** The caller's own path: its links are his to follow. */
  async volume({ source, target, access, propagation = "rprivate" }: HostMount): Promise<void> {
    if (!this.#input.canMount)
      throw new FailedPrecondition(`cannot mount the volume ${source}:${target}: mounting is not possible here`, {
        field: "volumes",
        hint: "copy the files instead",
      })
    const fd = openHost(source)
    try {
      const { type } = statOf(fd)
      const host = access === "overlay" ? this.#newPoint(type) : source
      if (access === "overlay") await this.#bindThrowAway(fd, type, host, { path: source, keepsOwners: true }, "/")
      const destination = this.#absolute(target)
      const options = ["rbind", access === "ro" ? "ro" : "rw", propagation]
      this.mounts.push({ destination, type: "bind", source: host, options })
      this.points.push({ target: destination, type: type === "directory" ? "directory" : "file" })
    } finally {
      close(fd)
    }
  }

  async #bind({ from, source, target, writable }: Of<"bind">): Promise<void> {
    const input = sourceOf(this.#input.sources, from)
    const fd = openSource(input, source)
    try {
      const { type } = statOf(fd)
      if (!this.#input.canMount) return this.#push(target, type, await this.#copyAny(fd, type, input, source), "rw")
      const host = this.#newPoint(type)
      const owners = await inTurns(ownersOf(fd, input, source), this.#input.signal)
      const mapped = type === "directory" && typeof owners === "object" ? await this.#mapped(fd, owners) : undefined
      try {
        if (owners === "root" || mapped !== undefined)
          await this.#bindSource(mapped ?? fd, type, host, { input, source, writable })
        else bindPath(await this.#copyAny(fd, type, input, source), host, writable ? 0 : MountFlag.readOnly)
      } finally {
        if (mapped !== undefined) close(mapped)
      }
      this.#push(target, type, host, writable ? "rw" : "ro")
    } finally {
      close(fd)
    }
  }

  async #bindSource(fd: number, type: FileType, host: string, { input, source, writable }: BoundSource): Promise<void> {
    if (writable) await this.#bindThrowAway(fd, type, host, input, source)
    else if (type === "directory" && input.excludes !== undefined) await this.#bindMasked(fd, host, input, source)
    else bindFd(fd, host, true)
  }

  /** The same directory with root for its owner; undefined where this kernel, file system or user cannot. The caller closes it. */
  async #mapped(fd: number, owner: Owner): Promise<number | undefined> {
    if (this.#input.rootless) return undefined
    const point = this.#newPoint("directory")
    try {
      const { mountAsRoots } = await import("../../sys/fs/id-mapped-mount.ts")
      await mountAsRoots(fd, point, owner)
      return openRoot(point)
    } catch (error) {
      log.debug("no id-mapped mount here: the files are copied", { error: String(error) })
      return undefined
    }
  }

  /** What the ignore file leaves out is not seen. */
  async #bindMasked(fd: number, host: string, input: Source, source: string): Promise<void> {
    const mask = this.#input.makeScratch()
    if (!maskExcluded(fd, mask, input, source)) return bindFd(fd, host, true)
    if (this.#overlay(host, [mask, fd])) return
    bindPath(await this.#copy(fd, input, source), host)
  }

  /** Writes go to a layer over the source, and away with it (CVE-2025-4953). */
  async #bindThrowAway(fd: number, type: FileType, host: string, input: Source, source: string): Promise<void> {
    if (type !== "directory") {
      const copy = join(this.#input.makeScratch(), "file")
      copyFileOut(fd, copy, undefined)
      return bindPath(copy, host)
    }
    const mask = this.#input.makeScratch()
    const isMasked = input.excludes !== undefined && maskExcluded(fd, mask, input, source)
    if (this.#overlay(host, isMasked ? [mask, fd] : [fd], this.#input.makeScratch())) return
    bindPath(await this.#copy(fd, input, source), host)
  }

  /** False where there can be none: too many file systems over each other already, or none for users on this kernel. */
  #overlay(host: string, lower: readonly (string | number)[], scratch?: string): boolean {
    using fds = new DisposableStack()
    // by descriptor: a `:` or `,` in a path would be read as one of the options
    const open = (directory: string | number): string =>
      `/proc/self/fd/${typeof directory === "number" ? directory : fds.adopt(openRoot(directory), close)}`
    const data = [`lowerdir=${lower.map(open).join(":")}`, ...(this.#input.rootless ? ["userxattr"] : [])]
    if (scratch !== undefined) {
      const [upper, work] = [join(scratch, "upper"), join(scratch, "work")]
      for (const directory of [upper, work]) mkdirSync(directory, { mode: 0o755 })
      copyAttributes(open(lower.at(-1) ?? upper), upper)
      data.push(`upperdir=${open(upper)}`, `workdir=${open(work)}`, "volatile")
    }
    try {
      mountAt(host, { type: "overlay", source: "overlay", data, flags: MountFlag.noSuid | MountFlag.noDev })
      return true
    } catch (error) {
      if (hasErrno(error, "EINVAL", "EPERM", "ENODEV", "EXDEV", "EOPNOTSUPP")) return false
      throw error
    }
  }

  async #copyAny(fd: number, type: FileType, input: Source, source: string): Promise<string> {
    if (type === "directory") return await this.#copy(fd, input, source)
    const copy = join(this.#input.makeScratch(), "file")
    copyFileOut(fd, copy, ownerIn(input))
    return copy
  }

  /** In the place of an overlay, or of a context's files that are not root's. */
  async #copy(fd: number, input: Source, source: string): Promise<string> {
    using fds = new DisposableStack()
    const copy = this.#input.makeScratch()
    const from = fds.adopt(openRawInRoot(fd, ".", O_DIRECTORY), close)
    const filter = sourceFilter(input, { base: posix.normalize(`/${source}`).slice(1), exclude: [] })
    const target = fds.adopt(openRoot(copy), close)
    const owner = ownerIn(input)
    await inTurns(new CopyIn(target, owner ? { owner } : {}).directory(from, "", filter), this.#input.signal)
    copyAttributes(`/proc/self/fd/${fd}`, copy, owner)
    return copy
  }

  async #cache(mount: Of<"cache">): Promise<void> {
    const { caches, sources, undo, signal, canMount } = this.#input
    const seed = mount.from === undefined ? undefined : sourceOf(sources, mount.from)
    const held = await caches.hold(
      // where it is moved, one step at a time can have it
      canMount || mount.sharing !== "shared" ? mount : { ...mount, sharing: "locked" },
      { identity: seed?.identity, fill: (directory) => fillCache(directory, seed, mount.source) },
      signal,
    )
    undo.use(held)
    // without `from`, the source is a directory of the cache itself
    const directory = seed === undefined && mount.source !== "" ? mount.source : "/"
    const rootFd = openRoot(held.path)
    try {
      const { mode, uid, gid } = mount
      const made = makeDirectories(rootFd, rawName(directory), { mode, owner: { uid, gid } })
      if (!canMount) return this.#push(mount.target, "directory", join(held.path, textOf(made)), "rw")
      const fd = openRawInRoot(rootFd, made, O_PATH)
      try {
        const host = this.#newPoint("directory")
        bindFd(fd, host, mount.readOnly)
        this.#push(mount.target, "directory", host, mount.readOnly ? "ro" : "rw")
      } finally {
        close(fd)
      }
    } finally {
      close(rootFd)
    }
  }

  #tmpfs({ target, sizeBytes }: Of<"tmpfs">): void {
    if (!this.#input.canMount) {
      const directory = this.#input.makeScratch()
      chmodSync(directory, 0o1777)
      return this.#push(target, "directory", directory, "rw")
    }
    const options = ["nosuid", "nodev", ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])]
    this.mounts.push({ destination: this.#absolute(target), type: "tmpfs", source: "tmpfs", options })
    // the runtime takes the mode of what is there; of a new one a tmpfs has its own
    this.points.push({ target: this.#absolute(target), type: "directory", mode: 0o1777 })
  }

  #secret(mount: Of<"secret">): void {
    const bytes = secretBytes(mount.id, this.#input.settings)
    if (bytes === undefined) {
      if (!mount.required) return
      throw new NotFound(`secret ${mount.id}: not found`, {
        hint: [
          { do: "set", field: "secrets", value: `id=${mount.id},src=FILE` },
          { do: "set", field: "secrets", value: `id=${mount.id},env=NAME` },
        ],
      })
    }
    if (mount.env !== undefined) {
      if (bytes.includes(0)) throw new InvalidArgument(`secret ${mount.id} holds a NUL byte: no variable can have it`)
      this.env.push(`${mount.env}=${Buffer.from(bytes).toString("utf8")}`)
      if (mount.target === undefined) return
    }
    const host = join(this.#tmpfsDirectory(), String(this.#count++))
    // on a tmpfs that only we may enter: never on a disk, never in a layer
    writeFileSync(host, bytes, { mode: 0o600, flag: "wx" })
    this.#give(host, mount)
    this.#push(mount.target ?? `/run/secrets/${mount.id}`, "file", host, "ro", ["noexec"])
  }

  async #ssh(mount: Of<"ssh">): Promise<void> {
    const agent = this.#input.settings.ssh.find(({ id }) => id === mount.id)
    if (agent === undefined) {
      if (!mount.required) return
      throw new NotFound(`no SSH agent "${mount.id}" was given to the build`, {
        hint: { do: "set", field: "ssh", value: `${mount.id}${mount.id === "default" ? "" : "=SOCKET"}` },
      })
    }
    const { forwardAgent } = await import("./ssh-agent.ts")
    const number = this.#count++
    const host = join(this.#tmpfsDirectory(), String(number))
    this.#input.undo.use(await forwardAgent(host, agent.socket))
    this.#give(host, mount)
    const target = mount.target ?? `/run/buildkit/ssh_agent.${number}`
    this.env.push(`SSH_AUTH_SOCK=${target}`)
    this.#push(target, "file", host, "rw")
  }

  #give(path: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): void {
    chownSync(path, uid, gid)
    chmodSync(path, mode)
  }

  #push(target: string, type: FileType, source: string, access: "ro" | "rw", more: readonly string[] = []): void {
    const destination = this.#absolute(target)
    const options = ["rbind", access, "nosuid", "nodev", ...more, "rprivate"]
    this.mounts.push({ destination, type: "bind", source, options })
    this.points.push({ target: destination, type: type === "directory" ? "directory" : "file" })
  }

  #absolute(target: string): string {
    return posix.resolve(this.#input.operation.cwd, target)
  }

  /** A place of our own to mount at, of the kind of what is mounted. */
  #newPoint(type: FileType): string {
    const path = join(this.#tmpfsDirectory(), String(this.#count++))
    if (type === "directory") mkdirSync(path, { mode: 0o700 })
    else writeFileSync(path, "", { mode: 0o600 })
    return path
  }

  /** One tmpfs holds all mounts of a run: unmounting it takes them along. */
  #tmpfsDirectory(): string {
    if (!this.#input.canMount) return (this.#directory ??= this.#input.makeScratch())
    const directory = mountsDirectory(this.#input.directory)
    if (statSync(directory, { throwIfNoEntry: false }) !== undefined) return directory
    mkdirSync(directory, { mode: 0o700 })
    const flags = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec
    mountAt(directory, { type: "tmpfs", source: "tmpfs", data: ["mode=0700"], flags })
    mountAt(directory, { type: "none", source: "none", data: [], flags: MountFlag.private })
    return directory
  }
}

/** Of a raw name. */
function textOf(raw: string): string {
  return Buffer.from(raw, "latin1").toString("utf8")
}

function sourceOf(sources: readonly Source[], index: number): Source {
  const source = sources[index]
  if (source === undefined) throw new RangeError(`the step has no input ${index}`)
  return source
}

async function fillCache(directory: string, seed: Source | undefined, source: string): Promise<void> {
  if (seed === undefined) return
  try {
    await copyTree(seed.path, source || "/", directory, "/")
  } catch (error) {
    throw sourceError(error, source)
  }
}

/** Found inside its root, and held: nothing that changes the tree meanwhile leads elsewhere (CVE-2024-1753, CVE-2024-11218). */
function openSource(input: Source, source: string): number {
  const rootFd = openRoot(input.path)
  try {
    const relative = posix.normalize(`/${source}`).slice(1)
    if (relative !== "" && input.excludes?.(relative, false) === true && !holdsIncluded(input, relative))
      throw new NotFound(`"${source}": not found`, { hint: "the ignore file of the context excludes it" })
    return openInRoot(rootFd, source === "" ? "/" : source, O_PATH)
  } catch (error) {
    throw sourceError(error, source)
  } finally {
    close(rootFd)
  }
}

function openHost(path: string): number {
  try {
    return openSync(path, O_PATH | O_CLOEXEC)
  } catch (cause) {
    if (!hasErrno(cause, "ENOENT", "ENOTDIR")) throw cause
    throw new NotFound(`no such file or directory: "${path}"`, { cause })
  }
}

function holdsIncluded(input: Source, path: string): boolean {
  return input.mayHoldIncluded?.(path) ?? true
}

function sourceError(error: unknown, source: string): unknown {
  if (!hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return error
  return new NotFound(`"${source}": not found`, { hint: "it is the source of a mount of this step", cause: error })
}

function bindFd(fd: number, target: string, readOnly: boolean): void {
  const flags = MountFlag.bind | MountFlag.recursive | (readOnly ? MountFlag.readOnly : 0)
  mountAt(target, { type: "none", source: `/proc/self/fd/${fd}`, data: [], flags })
}

function bindPath(path: string, target: string, flags = 0): void {
  mountAt(target, { type: "none", source: path, data: [], flags: MountFlag.bind | flags })
}

/** Of a copy: a context's files are root's. */
function ownerIn({ keepsOwners }: Source): Owner | undefined {
  return keepsOwners ? undefined : { uid: 0, gid: 0 }
}

function copyAttributes(from: string, to: string, owner?: Owner): void {
  const { mode, ...own } = statSync(from)
  const { uid, gid } = owner ?? own
  chownSync(to, uid, gid)
  chmodSync(to, mode & 0o7777)
}

function copyFileOut(fd: number, target: string, owner: Owner | undefined): void {
  const from = `/proc/self/fd/${fd}`
  if (!statSync(from).isFile())
    throw new FailedPrecondition("the source of a writable mount is no file and no directory")
  writeFileSync(target, readFileSync(from))
  copyAttributes(from, target, owner)
}

/** The secrets that a step can read, as far as the build was given them. Throws errno errors. */
export function secretsOf({ mounts }: RunOperation, settings: RunSettings): { id: string; bytes: Uint8Array }[] {
  const ids = new Set(mounts.flatMap((mount) => (mount.type === "secret" ? [mount.id] : [])))
  return [...ids].flatMap((id) => {
    const bytes = secretBytes(id, settings)
    return bytes === undefined ? [] : [{ id, bytes }]
  })
}

function secretBytes(id: string, { secrets }: RunSettings): Uint8Array | undefined {
  const secret = secrets.find((one) => one.id === id)
  if (secret === undefined) return undefined
  if ("text" in secret.source) return Buffer.from(secret.source.text)
  if ("env" in secret.source) {
    const value = callerVariable(secret.source.env)
    return value === undefined ? undefined : Buffer.from(value)
  }
  const { file } = secret.source
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new NotFound(`secret ${id}: no file "${file}"`)
  if (size > MAX_SECRET_BYTES)
    throw new InvalidArgument(`secret ${id} has ${size} bytes`, { hint: `at most ${MAX_SECRET_BYTES}` })
  return readFileSync(file)
}
