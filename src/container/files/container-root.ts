import { existsSync, mkdirSync, statSync } from "node:fs"
import { crashPoint } from "../../base/crash-point.ts"
import { hasErrno, isSkiffError, Unsupported } from "../../base/errors.ts"
import { openInRoot, openOrMakeDirectory, openRoot } from "../../sys/fs/confined.ts"
import { makeDirectoryInRoot } from "../../sys/fs/confined-mkdir.ts"
import { cloneMounts } from "../../sys/fs/detached-mounts.ts"
import { resolveUser, type Owner } from "../../sys/fs/image-users.ts"
import { isMountPoint, MountFlag, mountAt, mountOrFind, makePrivate, restrictMount } from "../../sys/fs/mount.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close, O_PATH } from "../../sys/libc.ts"
import { isAlive } from "../../sys/process/process.ts"
import type { Abortable, MountPoint } from "../container.ts"
import type { ContainerDeps } from "../deps.ts"
import { reconciled } from "../reconcile-now.ts"
import { isRunning } from "../observe.ts"
import { removeStaged, stageSources } from "../mounts/stage.ts"
import { fillVolumes, holdVolumes, releaseVolumes } from "../oci-mounts.ts"
import type { ContainerRecord } from "../record.ts"
import { rootMount } from "../root-mount.ts"
import { removeRunDirectory, unmountRunDirectory } from "../teardown.ts"

/** The files of a container as its programs see them, volumes and all, for as long as it is not disposed of. */
export interface ContainerRoot extends Disposable {
  record: ContainerRecord
  /** The root, by O_PATH: hostile, see sys/fs/confined.ts. */
  fd: number
  /** Programs of the container may change it meanwhile. */
  isLive: boolean
}

/**
 * Opens the root of a container. Of one that runs it is that of its first process: what is mounted there is there, and nothing is
 * mounted for us. Of one that does not, its layers and volumes are put together in mounts that nobody else sees, and the
 * container is locked meanwhile. Throws NotFound, Unavailable.
 */
export async function openContainerRoot(
  deps: ContainerDeps,
  nameOrId: string,
  { abort }: Abortable = {},
): Promise<ContainerRoot> {
  const found = deps.records.get(nameOrId)
  const fd = openRunning(deps, found)
  if (fd !== undefined) return { record: found, fd, isLive: true, [Symbol.dispose]: () => close(fd) }
  using undo = new DisposableStack()
  const lock = undo.use(await deps.locks.acquire(found.id, { signal: abort }))
  const record = await reconciled(deps, found.id, lock)
  const running = openRunning(deps, record)
  if (running !== undefined) return { record, fd: running, isLive: true, [Symbol.dispose]: () => close(running) }
  const stopped = undo.adopt(await openStopped(deps, record), close)
  const owned = undo.move()
  return { record, fd: stopped, isLive: false, [Symbol.dispose]: () => owned.dispose() }
}

function openRunning(deps: ContainerDeps, record: ContainerRecord): number | undefined {
  const { pid, pidStartTime } = record.state
  if (!isRunning(record, deps) || pid === undefined || pidStartTime === undefined) return undefined
  try {
    const fd = openRoot(`/proc/${pid}/root`)
    // looked at after it was opened: it is of this very process
    if (isAlive(pid, pidStartTime)) return fd
    close(fd)
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ESRCH")) throw error
  }
  return undefined
}

/**
 * Who writes into a running container writes as root of the engine, whom a container with ids of its own does not know.
 * Throws Unsupported.
 */
export function refuseOtherIds({ record, isLive }: ContainerRoot): void {
  const { options } = record.spec
  // as-caller: root of the engine is the program's user
  if (!isLive || options.userNamespace === undefined || options.userNamespace.kind === "as-caller") return
  throw new Unsupported(`container ${record.name} runs with ids of its own: nothing can be copied into it`, {
    hint: [{ do: "stop", container: record.name }, "copy by a program in it, as tar -x"],
  })
}

/** Mounted for a moment, as at a start; what stays is a copy without a place. */
async function openStopped(deps: ContainerDeps, record: ContainerRecord): Promise<number> {
  const { id, spec } = record
  const { rootfs } = (await deps.runtimes()).bundle(id)
  const mount = await rootMount(deps, record)
  const volumes = await holdVolumes(deps, id, spec.mounts, {})
  mkdirSync(rootfs, { recursive: true, mode: 0o700 })
  unmountRunDirectory(deps, id)
  try {
    const seen = mountOrFind(rootfs, mount)
    if (seen !== rootfs) return openRoot(seen) // nothing can be mounted here
    makePrivate(rootfs)
    crashPoint("copy:mounted")
    // as a start does it
    if (spec.run.workdir !== "/") makeDirectoryInRoot(rootfs, spec.run.workdir)
    await fillVolumes(deps, record, rootfs, { owner: userIn(rootfs, spec) })
    const sources = spec.mounts.map((point) => sourceOf(point, volumes))
    mountBelow(rootfs, spec.mounts, await stageSources(deps, record, sources), spec.options.readOnly)
    const fd = cloneMounts(rootfs)
    crashPoint("copy:cloned")
    return fd
  } finally {
    unmountRunDirectory(deps, id)
    await removeStaged(deps, record)
    await releaseVolumes(deps, record)
    if (!isMountPoint(rootfs)) removeRunDirectory(deps, id, { keepExitFile: true })
  }
}

/** Whom the program runs as; nobody where the image has no such user, which only a start has to say. */
function userIn(rootfs: string, { run, options }: ContainerRecord["spec"]): Owner | undefined {
  try {
    return resolveUser(rootfs, run.user, options.groupAdd, { listed: options.imageGroups })
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return undefined
    throw error
  }
}

/** Undefined of what is made for a run, and of what is not there. */
function sourceOf({ type, name = "", source }: MountPoint, volumes: ReadonlyMap<string, string>): string | undefined {
  if (type === "tmpfs" || type === "devpts") return undefined
  if (type === "image") return source
  const path = type === "volume" ? volumes.get(name) : source
  return path !== undefined && existsSync(path) ? path : undefined
}

/** Volumes and binds, each on a directory that was found inside the root: an image decides what is at their targets. */
function mountBelow(
  rootfs: string,
  mounts: readonly MountPoint[],
  sources: readonly (string | undefined)[],
  readOnly: boolean,
): void {
  const root = openRoot(rootfs)
  try {
    const wanted = mounts.flatMap((mount, index) => {
      const source = sources[index]
      return source === undefined ? [] : [{ ...mount, source, isDirectory: statSync(source).isDirectory() }]
    })
    for (const { target, isDirectory } of wanted) if (isDirectory) makeTarget(root, target)
    if (readOnly) restrictMount(rootfs, MountFlag.readOnly)
    for (const mount of wanted) bindAt(root, mount)
  } finally {
    close(root)
  }
}

function makeTarget(root: number, target: string): void {
  close(openOrMakeDirectory(root, rawName(target).replace(/^\/+|\/+$/g, "")))
}

function bindAt(
  root: number,
  { source, target, readOnly }: { source: string; target: string; readOnly: boolean },
): void {
  const flags = MountFlag.bind | MountFlag.recursive
  atFile(root, target, (path) => mountAt(path, { type: "none", source, data: [], flags }))
  // opened anew it is what was just mounted
  atFile(root, target, (path) => makePrivate(path, { follow: true }))
  if (readOnly) atFile(root, target, (path) => restrictMount(path, MountFlag.readOnly))
}

/** A file that is missing is nothing to bind over: the runtime makes it at a start. */
function atFile(root: number, target: string, act: (path: string) => void): void {
  let fd: number
  try {
    fd = openInRoot(root, target, O_PATH)
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return
    throw error
  }
  try {
    act(`/proc/self/fd/${fd}`)
  } finally {
    close(fd)
  }
}
