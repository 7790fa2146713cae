/** Makes what a pod's containers will mount. Safe to repeat: what is there already stays. */
import { chmodSync, closeSync, mkdirSync, realpathSync, statSync, writeFileSync } from "node:fs"
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { hasErrno, isSkiffError } from "../../base/errors.ts"
import { throwIfAborted, type Cancellable } from "../../base/cancel.ts"
import { setModeAt, setOwnerAt } from "../../sys/fs/attributes.ts"
import { openInRoot, openOrMakeDirectory, openRoot } from "../../sys/fs/confined.ts"
import { statOf } from "../../sys/fs/directory.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { O_PATH } from "../../sys/libc.ts"
import type { Volumes } from "../../volume/volume.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"
import type { NodeFile, NodeVolume } from "./node-pod.ts"

/** What volumes are made with. */
export interface PrepareDeps {
  volumes: Volumes
  /** Directories of the engine, which no pod may have. */
  ownDirectories: readonly string[]
}

const OPEN_MODE = 0o777
const SETGID = 0o2000
/** Of files and directories that a group is to use, as kubelet's. */
const GROUP_READS = 0o440
const GROUP_USES = 0o070
/** Of a hostPath that is made. */
const [DIRECTORY_MODE, FILE_MODE] = [0o755, 0o644]

/**
 * Makes the volumes of a pod, and directories and files of the host where their type says so. `holder`: who keeps those in memory mounted,
 * until they are removed. Throws InvalidArgument with the path for a hostPath that is of another type, or is the engine's own.
 */
export async function prepareVolumes(
  { volumes, ownDirectories }: PrepareDeps,
  wanted: readonly NodeVolume[],
  { holder, warnings, signal }: Cancellable & { holder: string; warnings: Warnings },
): Promise<void> {
  for (const volume of wanted) {
    throwIfAborted(signal, "the making of a pod's volumes")
    switch (volume.kind) {
      case "host":
        prepareHostPath(volume, ownDirectories)
        break
      case "empty":
        await prepareEmpty(volumes, volume, { holder, warnings, signal })
        break
      case "files":
        if (await makeOwn(volumes, volume.volume, {}))
          await volumes.import(volume.volume, filesTar(volume.files, volume.groupId), { signal })
        break
      case "claim":
        await prepareClaim(volumes, volume, warnings)
        break
      case "image":
    }
  }
}

type VolumeOf<Kind extends NodeVolume["kind"]> = Extract<NodeVolume, { kind: Kind }>

/** False: it is there already, with what was written to it. */
async function makeOwn(volumes: Volumes, name: string, options: Readonly<Record<string, string>>): Promise<boolean> {
  const isThere = volumes.list().some((one) => one.name === name)
  await volumes.create({ name, anonymous: true, options })
  return !isThere
}

async function prepareEmpty(
  volumes: Volumes,
  { volume, path, inMemory, sizeLimitBytes, groupId, subpaths }: VolumeOf<"empty">,
  { holder, warnings, signal }: Cancellable & { holder: string; warnings: Warnings },
): Promise<void> {
  const size = sizeLimitBytes === undefined ? [] : [`size=${sizeLimitBytes}`]
  if (inMemory) {
    const mode = OPEN_MODE | (groupId === undefined ? 0 : SETGID)
    const group = groupId === undefined ? [] : [`gid=${groupId}`]
    const words = [`mode=${mode.toString(8)}`, "nosuid", "nodev", ...group, ...size]
    await makeOwn(volumes, volume, { type: "tmpfs", device: "tmpfs", o: words.join(",") })
    makeParts(await volumes.hold(volume, holder, { signal }), subpaths, OPEN_MODE, path)
    return
  }
  const isNew = await withoutQuota(
    () => makeOwn(volumes, volume, sizeLimitBytes === undefined ? {} : { size: String(sizeLimitBytes) }),
    () => {
      warnings.add(`${path}.emptyDir.sizeLimit`, "the store's file system counts no quota: it is not bounded")
      return makeOwn(volumes, volume, {})
    },
  )
  if (!isNew) return
  const { mountpoint } = volumes.get(volume)
  openToAll(mountpoint, groupId)
  makeParts(mountpoint, subpaths, OPEN_MODE, path)
}

/** A new directory of the store. */
function openToAll(place: string, groupId: number | undefined): void {
  const fd = openRoot(place)
  try {
    if (groupId !== undefined) setOwnerAt(fd, ".", 0, groupId)
    setModeAt(fd, ".", OPEN_MODE | (groupId === undefined ? 0 : SETGID))
  } finally {
    closeSync(fd)
  }
}

async function withoutQuota<T>(act: () => Promise<T>, orElse: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!isSkiffError(error, "Unsupported") && !isSkiffError(error, "FailedPrecondition")) throw error
    return orElse()
  }
}

async function prepareClaim(
  volumes: Volumes,
  { volume, sizeBytes, groupId, subpaths, path }: VolumeOf<"claim">,
  warnings: Warnings,
): Promise<void> {
  const isNew = sizeBytes !== undefined && volumes.list().every(({ name }) => name !== volume)
  if (isNew)
    await withoutQuota(
      () => volumes.create({ name: volume, options: { size: String(sizeBytes) } }),
      () => {
        const text = `the store's file system counts no quota: the claim's ${sizeBytes} bytes are not enforced`
        warnings.add(`${path}.persistentVolumeClaim`, text)
        return volumes.create({ name: volume })
      },
    )
  const { mountpoint, isMounted, anonymous } = await volumes.create({ name: volume })
  if (anonymous)
    throw fieldFault(
      path,
      `the volume "${volume}" is of one pod or container alone, and goes with it`,
      "choose another name",
    )
  if (isMounted || (groupId === undefined && subpaths.length === 0)) return
  if (mountpoint === "") throw fieldFault(path, `the files of volume "${volume}" are not on this machine`)
  if (groupId !== undefined) giveToGroup(mountpoint, groupId)
  makeParts(mountpoint, subpaths, OPEN_MODE, path)
}

/** The top alone: what lies in it has been written by its own users, and what is made from now on is the group's. */
function giveToGroup(place: string, groupId: number): void {
  const fd = openRoot(place)
  try {
    const { uid, gid, mode } = statOf(fd)
    if (gid === groupId) return
    setOwnerAt(fd, ".", uid, groupId)
    setModeAt(fd, ".", (mode & 0o7777) | SETGID | GROUP_USES)
  } finally {
    closeSync(fd)
  }
}

/**
 * Directories that are not there yet, usable by whoever may use the volume; no link on the way leads out of it. What is there stays,
 * whatever it is: a file may be mounted, too.
 */
function makeParts(place: string, subpaths: readonly string[], mode: number, path: string): void {
  if (subpaths.length === 0) return
  const root = openRoot(place)
  try {
    for (const subpath of subpaths) makePart(root, subpath, mode, path)
  } finally {
    closeSync(root)
  }
}

function makePart(root: number, subpath: string, mode: number, path: string): void {
  try {
    closeSync(openInRoot(root, subpath, O_PATH))
    return
  } catch (error) {
    if (!hasErrno(error, "ENOENT")) throw error
  }
  const fd = madePart(root, subpath, path)
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode)
  } finally {
    closeSync(fd)
  }
}

function madePart(root: number, subpath: string, path: string): number {
  try {
    return openOrMakeDirectory(root, rawName(subpath))
  } catch (cause) {
    if (!hasErrno(cause, "ENOENT", "ENOTDIR", "ELOOP", "EXDEV", "EEXIST")) throw cause
    throw fieldFault(path, `subPath "${subpath.slice(0, 200)}" is outside of its volume, or leads through a file`)
  }
}

function prepareHostPath({ hostPath, type, name, path, subpaths }: VolumeOf<"host">, own: readonly string[]): void {
  const places = [hostPath, ...subpaths.map((subpath) => `${hostPath.replace(/\/+$/, "")}/${subpath}`)]
  for (const place of places) refuseOwn(place, `${path}.hostPath.path`, own)
  if (type === "DirectoryOrCreate") mkdirSync(hostPath, { recursive: true, mode: DIRECTORY_MODE })
  if (type === "FileOrCreate") makeFile(hostPath, path)
  // again: what is there now may be a link
  for (const place of places) refuseOwn(place, `${path}.hostPath.path`, own)
  const stat = statSync(hostPath, { throwIfNoEntry: false })
  if (stat === undefined)
    throw fieldFault(
      `${path}.hostPath.path`,
      `failed to create volume "${name}": "${hostPath.slice(0, 200)}" does not exist`,
      ["make it first", "say `type: DirectoryOrCreate`"],
    )
  const wanted = {
    "": true,
    Directory: stat.isDirectory(),
    DirectoryOrCreate: stat.isDirectory(),
    File: stat.isFile(),
    FileOrCreate: stat.isFile(),
    Socket: stat.isSocket(),
    CharDevice: stat.isCharacterDevice(),
    BlockDevice: stat.isBlockDevice(),
  }[type]
  if (!wanted)
    throw fieldFault(
      `${path}.hostPath.type`,
      `failed to create volume "${name}": path ${hostPath.slice(0, 200)} is not a ${KIND_WORDS[type]}`,
    )
  if (stat.isDirectory()) makeParts(hostPath, subpaths, DIRECTORY_MODE, path)
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  Directory: "directory",
  DirectoryOrCreate: "directory",
  File: "file",
  FileOrCreate: "file",
  Socket: "socket",
  CharDevice: "character device",
  BlockDevice: "block device",
}

function makeFile(hostPath: string, path: string): void {
  try {
    writeFileSync(hostPath, "", { flag: "wx", mode: FILE_MODE })
  } catch (cause) {
    if (hasErrno(cause, "EEXIST")) return
    throw fieldFault(`${path}.hostPath.path`, `cannot make the file "${hostPath.slice(0, 200)}": ${String(cause)}`)
  }
}

/** Who writes there changes containers and images behind the engine's back. A directory above it is the host's own. */
export function refuseOwn(hostPath: string, path: string, own: readonly string[]): void {
  const real = realPath(hostPath)
  if (own.map(realPath).some((directory) => real === directory || real.startsWith(`${directory}/`)))
    throw fieldFault(path, `"${hostPath.slice(0, 200)}" is a directory of the engine's own store`, [
      "use a persistentVolumeClaim for a volume of it",
    ])
}

/** Of what is there; what is not there is named below it. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const cut = path.replace(/\/+$/, "").lastIndexOf("/")
    const parent = cut <= 0 ? "/" : path.slice(0, cut)
    return `${parent === "/" ? "" : realPath(parent)}${path.replace(/\/+$/, "").slice(Math.max(cut, 0))}`
  }
}

/** Files of root's and the group's, with the directories that they lie in. */
async function* filesTar(files: readonly NodeFile[], groupId: number | undefined): Bytes {
  const gid = groupId ?? 0
  for (const name of directoriesOf(files))
    yield encodeTarHeader({ name: rawName(`${name}/`), type: "directory", gid, mode: DIRECTORY_MODE })
  for (const { name, data, mode } of files) {
    const readable = groupId === undefined ? mode : mode | GROUP_READS
    yield encodeTarHeader({ name: rawName(name), gid, mode: readable, sizeBytes: data.length })
    yield data
    yield tarPadding(data.length)
  }
  yield Buffer.alloc(TAR_END_BYTES)
}

/** Parents before what lies in them. */
function directoriesOf(files: readonly NodeFile[]): string[] {
  const all = new Set<string>()
  for (const { name } of files)
    for (let slash = name.indexOf("/"); slash > 0; slash = name.indexOf("/", slash + 1)) all.add(name.slice(0, slash))
  return [...all].toSorted()
}
