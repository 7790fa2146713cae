import { renameSync } from "node:fs"
import { join } from "node:path"
import { copyTree, isOpaqueFolder } from "../sys/fs/copy-tree.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import type { LayerDriver } from "./local-snapshotter.ts"
import { bindMount } from "./overlay.ts"
import { folderOf } from "./records.ts"

/** Every snapshot a whole copy: for hosts where nothing overlays. Needs the room, works everywhere. */
export const nativeDriver: LayerDriver = {
  name: "native",
  prepare(folder, parentFolder) {
    if (parentFolder !== undefined) copyTree(join(parentFolder, "diff"), "/", join(folder, "diff"), "/")
  },
  settle(folder, parentFolder) {
    const diff = join(folder, "diff")
    const whole = join(folder, "whole")
    removeTree(whole) // of a call that was killed
    if (parentFolder !== undefined && !isOpaqueFolder(diff)) copyTree(join(parentFolder, "diff"), "/", folder, "whole")
    copyTree(diff, "/", folder, "whole", { overlayDiff: true })
    // killed between these two, the stage's owner is dead and the whole folder goes
    removeTree(diff)
    renameSync(whole, diff)
  },
  isOpaque: () => false,
  mount(layers, row, lower) {
    const shown = row.kind === "view" ? (lower[0] ?? row) : row
    return bindMount(join(layers, folderOf(shown), "diff"), row.kind === "active")
  },
}
