import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import type { OciConfig, OciMount } from "../../spec/oci-runtime.ts"
import { makeDirectoryInRoot } from "../../sys/fs/confined-mkdir.ts"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { close, O_PATH } from "../../sys/libc.ts"
import { mountAt, MountFlag, restrictMount } from "../../sys/fs/mount.ts"

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
const LINKS = { fd: "/proc/self/fd", stdin: "fd/0", stdout: "fd/1", stderr: "fd/2", ptmx: "pts/ptmx" }
/** A container's seats for programs; a step can do without where the kernel gives none. */
const OPTIONAL = new Set(["devpts", "mqueue"])
const TMPFS = { type: "tmpfs", source: "tmpfs", data: ["mode=0755", "size=64k"] }

/**
 * Mounts what config.json names below the root, in a mount namespace that is ours alone. Targets are found inside the root and
 * mounted by descriptor, so that no link of a hostile root leads elsewhere (docs/design/005-hostile-trees.md).
 */
export function mountRoot(config: OciConfig): void {
  const root = config.root.path
  mountAt(root, { type: "none", source: root, data: [], flags: MountFlag.bind | MountFlag.recursive })
  for (const mount of config.mounts) {
    if (mount.type === "cgroup") continue
    try {
      mountOne(root, mount)
    } catch (error) {
      if (!OPTIONAL.has(mount.type ?? "")) throw error
    }
    if (mount.destination === "/dev") fillDev(root)
  }
  hideCgroups(root)
  for (const path of config.linux.maskedPaths ?? []) mask(root, path)
  for (const path of config.linux.readonlyPaths ?? []) bind(root, path, undefined, ["ro"])
}

function mountOne(root: string, { destination, type = "none", source = "none", options = [] }: OciMount): void {
  if (destination.startsWith("/dev/")) makeInDev(root, destination, type === "bind" && !statSync(source).isDirectory())
  if (type === "bind") return bind(root, destination, source, options)
  const flags = options.reduce((sum, option) => sum | (FLAGS[option] ?? 0), 0)
  const data = options.filter((option) => FLAGS[option] === undefined)
  try {
    at(root, destination, (path) => {
      // as runc: a tmpfs has the mode of the directory that it covers
      const mode = type !== "tmpfs" || data.some((one) => one.startsWith("mode=")) ? [] : [modeOf(path)]
      mountAt(path, { type, source, data: [...data, ...mode], flags })
    })
  } catch (error) {
    // a new one is refused where parts of the one we see are masked (proc), or the network belongs to others (sysfs):
    // then it is the one we see, with its masks
    if ((type !== "proc" && type !== "sysfs") || !hasErrno(error, "EPERM")) throw error
    bind(root, destination, `/${type.replace("sysfs", "sys")}`, options)
  }
}

/** On a tmpfs that is ours alone until now. */
function makeInDev(root: string, path: string, isFile: boolean): void {
  makeDirectoryInRoot(root, isFile ? dirname(path) : path)
  if (isFile)
    at(root, dirname(path), (directory) => writeFileSync(join(directory, basename(path)), "", { mode: 0o600 }))
}

function modeOf(path: string): string {
  return `mode=${(statSync(path).mode & 0o7777).toString(8)}`
}

/** Binds `source`, by default what is there already, as `options` say. */
function bind(root: string, target: string, source: string | undefined, options: readonly string[]): void {
  try {
    at(root, target, (path) => {
      const flags = MountFlag.bind | MountFlag.recursive
      mountAt(path, { type: "none", source: source ?? path, data: [], flags })
    })
  } catch (error) {
    if (source === undefined && hasErrno(error, "ENOENT")) return
    throw error
  }
  // found again: what the first descriptor names lies below the new mount
  at(root, target, (path) =>
    restrictMount(
      path,
      options.reduce((sum, option) => sum | (FLAGS[option] ?? 0), 0),
    ),
  )
}

function mask(root: string, path: string): void {
  try {
    at(root, path, (found) => {
      if (statSync(found).isDirectory()) mountAt(found, { ...TMPFS, flags: MountFlag.readOnly })
      else mountAt(found, { type: "none", source: "/dev/null", data: [], flags: MountFlag.bind })
    })
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTDIR")) throw error
  }
}

/** Those of our own place would show with a bound /sys. */
function hideCgroups(root: string): void {
  mask(root, "/sys/fs/cgroup")
}

/** config-linux.md#default-devices: a user namespace may make no nodes, so those that we see are bound. */
function fillDev(root: string): void {
  at(root, "/dev", (dev) => {
    for (const name of DEVICES) if (existsSync(`/dev/${name}`)) writeFileSync(`${dev}/${name}`, "", { mode: 0o666 })
    for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, `${dev}/${name}`)
    mkdirSync(`${dev}/shm`, { mode: 0o1777 })
    for (const name of readdirSync(dev).filter((one) => DEVICES.includes(one)))
      mountAt(`${dev}/${name}`, { type: "none", source: `/dev/${name}`, data: [], flags: MountFlag.bind })
  })
}

/** Calls with a path that names what is at `path` inside the root, mounts on it included. */
function at(root: string, path: string, call: (path: string) => void): void {
  const rootFd = openRoot(root)
  try {
    const fd = openInRoot(rootFd, path, O_PATH)
    try {
      call(`/proc/self/fd/${fd}`)
    } finally {
      close(fd)
    }
  } finally {
    close(rootFd)
  }
}

/** mount(8)'s words; those of 0 ask for nothing that we would have to do. */
const FLAGS: Readonly<Record<string, number>> = {
  ro: MountFlag.readOnly,
  nosuid: MountFlag.noSuid,
  nodev: MountFlag.noDev,
  noexec: MountFlag.noExec,
  rw: 0,
  bind: 0,
  rbind: 0,
  private: 0,
  rprivate: 0,
  strictatime: 0,
}
