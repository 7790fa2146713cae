import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, hasErrno, Unsupported } from "../../base/errors.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { mountAt } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { findProgram } from "../../sys/host.ts"
import { close } from "../../sys/libc.ts"

/** Where an overlay of a directory is made of. */
export interface OverlayOf {
  lower: string
  target: string
  /** Where upper and work are made if none are named. */
  scratch: string
  upper?: string
  work?: string
}

/**
 * Shows `lower` at `target`, and takes what is written elsewhere. Throws Unsupported where the store has no overlay,
 * FailedPrecondition where the kernel takes none over these directories.
 */
export function mountOverlay(driver: Snapshotter["driver"], { lower, target, scratch, ...named }: OverlayOf): void {
  const { upper, work } = directories(lower, scratch, named)
  if (driver === "native")
    throw new Unsupported("nothing can be overlaid here: the store keeps plain copies", {
      field: "mounts",
      hint: { do: "diagnose" },
    })
  try {
    if (driver === "overlay") mountByKernel(target, { lower, upper, work })
    else mountByProgram(target, { lower, upper, work })
  } catch (cause) {
    if (!hasErrno(cause, "EINVAL", "EBUSY", "ENOENT", "ENOTDIR", "ELOOP", "EPERM")) throw cause
    throw new FailedPrecondition(`"${lower}" cannot be overlaid with "${upper}"`, {
      field: "mounts",
      hint: "upper and work must be empty directories beside each other, of one file system that is no overlay itself",
      cause,
    })
  }
}

interface Layers {
  lower: string
  upper: string
  work: string
}

function directories(lower: string, scratch: string, named: { upper?: string; work?: string }): Omit<Layers, "lower"> {
  const { upper, work } = named
  if (upper !== undefined && work !== undefined) return { upper, work }
  const made = { upper: join(scratch, "upper"), work: join(scratch, "work") }
  for (const directory of [made.upper, made.work]) mkdirSync(directory, { recursive: true, mode: 0o700 })
  // the root of what is shown has the attributes of the upper's
  const { mode, uid, gid } = statSync(lower)
  chownSync(made.upper, uid, gid)
  chmodSync(made.upper, mode & 0o7777)
  return made
}

/** By descriptors: names of the host have commas and colons, which mean something to overlayfs. */
function mountByKernel(target: string, layers: Layers): void {
  using fds = new DisposableStack()
  const by = (path: string): string => `/proc/self/fd/${fds.adopt(openRoot(path), close)}`
  const data = [`lowerdir=${by(layers.lower)}`, `upperdir=${by(layers.upper)}`, `workdir=${by(layers.work)}`]
  if (rootlessUid() !== undefined) data.push("userxattr")
  mountAt(target, { type: "overlay", source: "overlay", data: [...data, "index=off", "metacopy=off"] })
}

function mountByProgram(target: string, { lower, upper, work }: Layers): void {
  for (const path of [lower, upper, work])
    if (/[,:\\]/.test(path))
      throw new Unsupported(`fuse-overlayfs takes no such name: "${path}"`, { field: "mounts", hint: "rename it" })
  const helper = [findProgram("fuse-overlayfs") ?? "fuse-overlayfs"]
  const data = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`]
  mountAt(target, { type: "fuse.fuse-overlayfs", source: "overlay", data, helper })
}
