import { chownSync, existsSync, mkdirSync } from "node:fs"
import { lookup } from "node:dns/promises"
import type { Cancellable } from "../../base/cancel.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, Unavailable, Unsupported } from "../../base/errors.ts"
import { isMountPoint, mountAt, unmountAll } from "../../sys/fs/mount.ts"
import { SystemError } from "../../sys/libc.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { checkDevice, parseVolumeOptions, type MountedVolume, type VolumeQuota } from "../volume-options.ts"
import type { DriverVolume, VolumeDriver } from "./driver.ts"
import { hostToResolve, mountCall } from "./mount-call.ts"

/** Directories of the store and of the host, and what mount(2) makes of options. */
export const localDriver: VolumeDriver = {
  validate(options) {
    const place = parseVolumeOptions(options)
    if (place.kind === "mounted") checkMountable(place)
  },

  async create({ options, directory, storage }, isNew) {
    const place = parseVolumeOptions(options)
    if (place.kind === "host") checkDevice(place.device)
    const path = ownPath(directory)
    // the container's users must be able to enter it, whatever our umask
    makeUnlessThere(path, 0o755)
    if (place.kind === "own" && place.quota !== undefined) await limit(path, storage, place.quota)
    const { uid, gid } = place
    if (isNew && place.kind === "own" && (uid !== undefined || gid !== undefined)) chownSync(path, uid ?? 0, gid ?? 0)
  },

  async mount({ name, options, directory }, _holder, settings) {
    const place = parseVolumeOptions(options)
    const path = place.kind === "host" ? place.device : ownPath(directory)
    if (place.kind === "mounted" && !isMountPoint(path)) await mountVolume(name, path, place, settings)
    return path
  },

  async unmount({ options, directory }, _holder, isLast) {
    if (isLast && parseVolumeOptions(options).kind === "mounted") unmountAll(ownPath(directory))
  },

  async remove({ options, directory, storage }) {
    unmountAll(ownPath(directory))
    const place = parseVolumeOptions(options)
    if (place.kind === "own" && place.quota !== undefined && existsSync(ownPath(directory)))
      await limit(ownPath(directory), storage, {})
  },
}

/** Files that are made in the directory from now on are of the volume, and of no limit until it is made again. */
export async function liftLimit({ options, storage }: DriverVolume, path: string): Promise<void> {
  const place = parseVolumeOptions(options)
  if (place.kind === "own" && place.quota !== undefined) await limit(path, storage, {})
}

async function limit(path: string, storage: string, quota: VolumeQuota): Promise<void> {
  const { limitDirectory, projectOf } = await import("./quota.ts")
  limitDirectory(path, projectOf(storage), quota)
}

/** Where the files of a volume of the store are. */
export function ownPath(directory: string): string {
  return `${directory}/data`
}

function makeUnlessThere(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
  }
}

/** File systems that a user namespace may mount (fs/super.c, FS_USERNS_MOUNT). */
const OF_USERS: ReadonlySet<string> = new Set(["none", "tmpfs", "overlay", "ramfs"])

function checkMountable({ type, device }: MountedVolume): void {
  if (type.includes("\0") || device.includes("\0")) throw new InvalidArgument("a volume option has a NUL byte")
  if (type === "none") return checkDevice(device)
  if (rootlessUid() !== undefined && !OF_USERS.has(type))
    throw new Unsupported(`only root can mount volumes of type "${type}"`, {
      field: "options",
      hint: "mount it on the host, and make a volume of its directory: type=none, o=bind, device=DIR",
    })
}

async function mountVolume(name: string, path: string, place: MountedVolume, options: Cancellable): Promise<void> {
  const host = hostToResolve(place)
  const address = host === undefined ? undefined : await addressOf(host, options)
  try {
    mountAt(path, mountCall(place, address))
  } catch (cause) {
    throw explained(name, place, cause)
  }
}

async function addressOf(host: string, { signal }: Cancellable): Promise<string> {
  try {
    const { address } = await lookup(host)
    signal?.throwIfAborted()
    return address
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new Unavailable(`cannot find the address of "${host}"`, { field: "options", hint: "check addr=", cause })
  }
}

function explained(name: string, { type, device }: MountedVolume, cause: unknown): unknown {
  const what = `cannot mount volume "${name}" (${type} of "${device}")`
  const hint = type.startsWith("nfs")
    ? "try it by hand: mount -t nfs; the options need addr= and the device begins with a colon"
    : undefined
  if (hasErrno(cause, "ENODEV"))
    return new Unsupported(`${what}: the kernel has no such file system`, {
      field: "options",
      hint: `load its module: modprobe ${type.replace(/[^\w-]/g, "")}`,
      cause,
    })
  if (hasErrno(cause, "EPERM", "EACCES"))
    return new FailedPrecondition(`${what}: permission denied`, {
      field: "options",
      hint: hint ?? "mount it on the host, and make a volume of its directory: type=none, o=bind, device=DIR",
      cause,
    })
  if (!(cause instanceof SystemError)) return cause
  return new FailedPrecondition(`${what}: ${cause.errnoName}`, {
    field: "options",
    hint: hint ?? "check the options type, device and o; dmesg may say more",
    cause,
  })
}
