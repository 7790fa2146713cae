import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { getAttribute } from "../sys/fs/xattr.ts"
import { MountFlag, type Mount } from "../sys/fs/mount.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import type { LayerDriver } from "./local-snapshotter.ts"
import { directoryOf, type LayerRow } from "./records.ts"

/** Which overlay, and whose marks. */
export interface OverlayOptions {
  rootless: boolean
  /** The fuse-overlayfs program, where the kernel's own overlay cannot be used. */
  helper?: string
}

// an upper must stay a plain diff, readable without the layers it was made over (redirects, metadata-only copies), and a
// lower may be part of many mounts (index): overlayfs.rst, "Sharing and copying layers"
const PLAIN_DIFF = ["index=off", "metacopy=off"]

/** Layers as overlayfs takes them; the directories of a mount are named relative to `layers`, to keep its options short. */
export function overlayDriver(options: OverlayOptions): LayerDriver {
  return {
    name: options.helper === undefined ? "overlay" : "fuse-overlayfs",
    async prepare(directory, parentDirectory) {
      mkdirSync(join(directory, "work"), { mode: 0o700 })
      if (parentDirectory !== undefined) copyRootAttributes(join(parentDirectory, "diff"), join(directory, "diff"))
    },
    async publish() {},
    isOpaque: (directory) => isOpaque(join(directory, "diff"), options.rootless),
    // the kernel's mark of a volatile upper in use, which it leaves at each unmount
    reopenVolatile: (directory) => void removeTreeSync(join(directory, "work/work/incompat/volatile")),
    mount: (layers, row, lower) => overlayMount(layers, row, lower, options),
  }
}

function overlayMount(layers: string, row: LayerRow, lower: readonly LayerRow[], options: OverlayOptions): Mount {
  const writable = row.kind === "active"
  const diffs = lower.map((layer) => `${directoryOf(layer)}/diff`)
  const own = `${directoryOf(row)}/diff`
  // overlayfs wants two layers at least: one alone is bound
  if (diffs.length === 0) return bindMount(join(layers, own), writable)
  if (diffs.length === 1 && !writable) return bindMount(join(layers, diffs[0] ?? own), false)
  const data = [`lowerdir=${diffs.join(":")}`]
  if (writable) data.push(`upperdir=${own}`, `workdir=${directoryOf(row)}/work`)
  if (options.helper !== undefined)
    return { type: "fuse.fuse-overlayfs", source: "overlay", data, workingDirectory: layers, helper: [options.helper] }
  // in a user namespace the kernel takes no other word for it: `off` might still follow (fs/overlayfs/params.c)
  if (writable) data.push(...PLAIN_DIFF, `redirect_dir=${options.rootless ? "nofollow" : "off"}`)
  if (writable && row.volatile === 1) data.push("volatile")
  if (options.rootless) data.push("userxattr")
  return { type: "overlay", source: "overlay", data, workingDirectory: layers }
}

/** A mount of one directory elsewhere, as it is. */
export function bindMount(source: string, writable: boolean): Mount {
  return { type: "none", source, data: [], flags: MountFlag.bind | (writable ? 0 : MountFlag.readOnly) }
}

/** image-spec layer.md#opaque-whiteout in the root: overlayfs merges the roots of its layers whatever they say. */
function isOpaque(diff: string, rootless: boolean): boolean {
  return getAttribute(diff, `${rootless ? "user" : "trusted"}.overlay.opaque`)?.toString() === "y"
}

/** The root directory of the merged view has the attributes of the upper's. */
function copyRootAttributes(from: string, to: string): void {
  const { mode, uid, gid } = statSync(from)
  chownSync(to, uid, gid)
  chmodSync(to, mode & 0o7777)
}
