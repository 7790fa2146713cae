/** A directory of the host in the place of an image. */
import { statSync } from "node:fs"
import { dirname, join } from "node:path"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import { MountFlag, type Mount } from "../../sys/fs/mount.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { TreeOptions } from "../identity-options.ts"

type Rootfs = NonNullable<TreeOptions["rootfs"]>

/** Throws NotFound, InvalidArgument. */
export function checkRootfsOption({ path }: Rootfs): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new NotFound(`no such directory: "${path}"`, { field: "tree.rootfs" })
  // overlayfs separates its options by these
  if (path === "/" || /[:,\\\n\0]/.test(path))
    throw new InvalidArgument(`"${path}" cannot be the root of a container`, {
      field: "tree.rootfs",
      hint: "a directory of its own, without : , and \\ in its path",
    })
}

/** The directory itself, or with `overlay` below the container's own layer, which takes what is written. */
export function rootfsMount(snapshots: Snapshotter, id: string, { path, overlay }: Rootfs): Mount {
  if (!overlay) return { type: "none", source: path, data: [], flags: MountFlag.bind | MountFlag.recursive }
  const upper = snapshots.diffPath(id)
  const rootless = rootlessUid() !== undefined
  const data = [`lowerdir=${path}`, `upperdir=${upper}`, `workdir=${join(dirname(upper), "work")}`]
  return {
    type: "overlay",
    source: "overlay",
    // as all layers: overlay.ts
    data: [
      ...data,
      "index=off",
      "metacopy=off",
      `redirect_dir=${rootless ? "nofollow" : "off"}`,
      ...(rootless ? ["userxattr"] : []),
    ],
  }
}
