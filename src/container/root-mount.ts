import { isSkiffError } from "../base/errors.ts"
import type { Mount } from "../sys/fs/mount.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** The writable layer of an earlier run, or, when `create` was killed before it made one, a new one. */
export async function rootMount(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<Mount> {
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
