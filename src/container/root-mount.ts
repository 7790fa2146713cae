import { existsSync } from "node:fs"
import { isSkiffError } from "../base/errors.ts"
import { isMountPoint, MountFlag, unmount, type Mount } from "../sys/fs/mount.ts"
import type { ContainerDeps } from "./deps.ts"
import { mountDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/**
 * The writable layer of an earlier run, or, when `create` was killed before it made one, a new one. Where a user has it mounted, it is that
 * very mount: of two over the same files neither sees what the other writes.
 */
export async function rootMount(deps: ContainerDeps, record: ContainerRecord): Promise<Mount> {
  const { id, spec } = record
  const shown = mountDirectory(deps, id)
  if (existsSync(shown) && isMountPoint(shown)) {
    if (spec.options.userNamespace === undefined) return bindOf(shown)
    unmount(shown) // with ids of its own the files are mounted another way
  }
  const snapshots = await deps.snapshots()
  const rootfs = spec.options.tree?.rootfs
  if (rootfs !== undefined) return (await import("./identity/rootfs.ts")).rootfsMount(snapshots, id, rootfs)
  try {
    return snapshots.mount(id)
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    return snapshots.prepare(id, spec.topLayer, { volatile: spec.options.autoRemove })
  }
}

/** What is mounted there, once more somewhere else. */
export function bindOf(path: string): Mount {
  return { type: "none", source: path, data: [], flags: MountFlag.bind }
}
