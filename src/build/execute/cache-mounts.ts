/**
 * What `RUN --mount=type=cache` keeps from build to build.
 *
 *   <root>/build/cache-mounts/<hash of the id>/<instance>/data     what RUN sees
 *   <root>/build/cache-mounts/<hash of the id>/<instance>/lock     held (flock) as long as a RUN sees it
 *   <root>/build/cache-mounts/<hash of the id>/cache.json          the id, for people
 *
 * Instance 0 is everybody's; others are made for `sharing=private` while it is in use. An id never becomes a path
 * (CVE-2024-9675).
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  statSync,
  utimesSync,
} from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { atomicWrite } from "../../base/atomic-write.ts"
import { Cancelled, hasErrno } from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import { AT_FDCWD, check, cString, libc, O_CLOEXEC, tryLock, unlockAndClose } from "../../sys/libc.ts"
import { readText } from "../../sys/host.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { treeUsage } from "../../sys/fs/tree-usage.ts"
import type { RunMount } from "../plan/definition.ts"

type CacheMount = Extract<RunMount, { type: "cache" }>

const WAIT_MS = 20
const O_RDWR_CREAT = 0o102
const RENAME_NOREPLACE = 1

/** A cache of RUN --mount=type=cache, for `builder du`. */
export interface CacheUseInfo {
  /** Hash and instance: what `remove` takes. */
  id: string
  /** As in the Dockerfile, or the mount's target. */
  name: string
  sizeBytes: number
  createdAt: Date
  lastUsedAt: Date
  inUse: boolean
}

/** A cache for the time of one RUN; disposed, others may have it. */
export interface HeldCache extends Disposable {
  /** Host directory. */
  path: string
}

/** What a cache holds at first, where its mount has `from`. */
export interface CacheSeed {
  /** Equal for equal files. As in buildkit, caches that began with other files are others, whatever their ids. */
  identity: string | undefined
  fill(directory: string): Promise<void>
}

/** What RUN --mount=type=cache keeps, by id. A killed build leaves a cache as its program left it. */
export class CacheMounts {
  readonly #directory: string

  /** `root`: the store. */
  constructor(root: string) {
    this.#directory = join(root, "build", "cache-mounts")
  }

  /**
   * Gives the mount's directory, as its `sharing` says; made first by `fill` when there is none. `locked` waits for others.
   * Throws Cancelled.
   */
  async hold(mount: CacheMount, { identity, fill }: CacheSeed, signal?: AbortSignal): Promise<HeldCache> {
    const directory = join(this.#directory, await hashOf(mount, identity))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const note = join(directory, "cache.json")
    if (readText(note) === undefined) atomicWrite(note, JSON.stringify({ id: mount.id }))
    const lock = await this.#lock(directory, mount.sharing, signal)
    try {
      const data = join(lock.instance, "data")
      await makeOnce(data, mount, fill)
      const now = new Date()
      utimesSync(join(lock.instance, "lock"), now, now)
      return { path: data, [Symbol.dispose]: () => unlockAndClose(lock.fd) }
    } catch (error) {
      unlockAndClose(lock.fd)
      throw error
    }
  }

  /** What a mount's cache is called, on every machine. */
  async keyOf(mount: CacheMount): Promise<string> {
    return await hashOf(mount)
  }

  /** Everybody's instance, kept from change while it is held; undefined when there is nothing in it. */
  async freeze(mount: CacheMount): Promise<HeldCache | "in use" | undefined> {
    const instance = join(this.#directory, await hashOf(mount), "0")
    const path = join(instance, "data")
    if (namesIn(path).length === 0) return undefined
    const fd = lockInstance(instance, "exclusive")
    return fd === undefined ? "in use" : { path, [Symbol.dispose]: () => unlockAndClose(fd) }
  }

  /**
   * Fills everybody's instance, when it is empty or not there; a killed call leaves it so. What a step uses at this moment
   * stays as it is.
   */
  async restore(mount: CacheMount, fill: (directory: string) => Promise<void>): Promise<void> {
    const instance = join(this.#directory, await hashOf(mount), "0")
    const data = join(instance, "data")
    if (namesIn(data).length > 0) return
    mkdirSync(instance, { recursive: true, mode: 0o700 })
    const fd = lockInstance(instance, "exclusive")
    if (fd === undefined) return
    const aside = `${data}-${process.pid}`
    try {
      // what killed builds left; nobody else fills it now
      for (const name of namesIn(instance)) if (name.startsWith("data-")) await removeTree(join(instance, name))
      mkdirSync(aside, { mode: 0o700 })
      await fill(aside)
      // rename(2): an empty directory gives way
      renameSync(aside, data)
    } finally {
      await removeTree(aside)
      unlockAndClose(fd)
    }
  }

  async list(): Promise<CacheUseInfo[]> {
    const all = namesIn(this.#directory).flatMap((hash) => {
      const name = idOf(readText(join(this.#directory, hash, "cache.json")))
      const instances = namesIn(join(this.#directory, hash)).filter((entry) => /^\d+$/.test(entry))
      return instances.map((instance) => this.#describe(`${hash}/${instance}`, name))
    })
    return (await Promise.all(all)).flat()
  }

  /** False when it is in use, or not there. */
  async remove(id: string): Promise<boolean> {
    if (!/^[0-9a-f]{64}\/\d+$/.test(id)) return false
    const instance = join(this.#directory, id)
    const fd = lockInstance(instance, "exclusive")
    if (fd === undefined) return false
    try {
      await removeTree(instance)
      const rest = join(instance, "..")
      if (namesIn(rest).every((entry) => entry === "cache.json")) await removeTree(rest)
      return true
    } finally {
      unlockAndClose(fd)
    }
  }

  async #describe(id: string, name: string): Promise<CacheUseInfo[]> {
    const instance = join(this.#directory, id)
    const lock = statSync(join(instance, "lock"), { throwIfNoEntry: false })
    const data = statSync(join(instance, "data"), { throwIfNoEntry: false })
    if (lock === undefined || data === undefined) return []
    const fd = lockInstance(instance, "exclusive")
    if (fd !== undefined) unlockAndClose(fd)
    const { bytes } = await treeUsage(join(instance, "data"))
    return [{ id, name, sizeBytes: bytes, createdAt: lock.birthtime, lastUsedAt: lock.mtime, inUse: fd === undefined }]
  }

  async #lock(
    directory: string,
    sharing: CacheMount["sharing"],
    signal: AbortSignal | undefined,
  ): Promise<{ instance: string; fd: number }> {
    for (let number = 0; ;) {
      if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
      const instance = join(directory, String(number))
      mkdirSync(instance, { recursive: true, mode: 0o700 })
      const fd = lockInstance(instance, sharing === "shared" ? "shared" : "exclusive")
      if (fd !== undefined) return { instance, fd }
      if (sharing === "private") number++
      else await sleep(WAIT_MS)
    }
  }
}

/** The lock of an instance that is still there; undefined when another has it. */
function lockInstance(instance: string, kind: "shared" | "exclusive"): number | undefined {
  const path = join(instance, "lock")
  let fd: number
  try {
    fd = openSync(path, O_RDWR_CREAT | O_CLOEXEC, 0o600)
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined
    throw error
  }
  // pruned between the opening and the lock: its name is gone
  if (tryLock(fd, kind) && statSync(path, { throwIfNoEntry: false }) !== undefined) return fd
  closeSync(fd)
  return undefined
}

/** Filled aside and renamed, so that a killed build leaves no half of it. */
async function makeOnce(data: string, mount: CacheMount, fill: CacheSeed["fill"]): Promise<void> {
  if (statSync(data, { throwIfNoEntry: false }) !== undefined) return
  // steps of one build may make it at once, too
  const aside = mkdtempSync(`${data}-`)
  try {
    if (mount.from === undefined) {
      chownSync(aside, mount.uid, mount.gid)
      chmodSync(aside, mount.mode)
    }
    await fill(aside)
    check(libc.renameat2(AT_FDCWD, cString(aside), AT_FDCWD, cString(data), RENAME_NOREPLACE), "rename", data)
  } catch (error) {
    await removeTree(aside)
    // another that shares it was first
    if (!hasErrno(error, "EEXIST")) throw error
  }
}

async function hashOf({ id, from, source }: CacheMount, identity?: string): Promise<string> {
  const { createHash } = await import("node:crypto")
  const text = JSON.stringify([id, ...(from === undefined ? [] : [source, identity])])
  return createHash("sha256").update(text).digest("hex")
}

function idOf(text: string | undefined): string {
  try {
    const { id } = JSON.parse(text ?? "") as { id?: unknown }
    return typeof id === "string" ? id : ""
  } catch {
    return ""
  }
}
