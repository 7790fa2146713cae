import { renameSync } from "node:fs"
import { join } from "node:path"
import { copyTree, isOpaqueDirectory } from "../sys/fs/copy-tree.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import type { LayerDriver } from "./local-snapshotter.ts"
import { bindMount } from "./overlay.ts"
import { directoryOf } from "./records.ts"

/** Every snapshot a whole copy: for hosts where nothing overlays. Needs the space, works everywhere. */
export const nativeDriver: LayerDriver = {
  name: "native",
  prepare(directory, parentDirectory) {
    if (parentDirectory !== undefined) copyTree(join(parentDirectory, "diff"), "/", join(directory, "diff"), "/")
  },
  publish(directory, parentDirectory) {
    const diff = join(directory, "diff")
    const whole = join(directory, "whole")
    removeTree(whole) // of a call that was killed
    if (parentDirectory !== undefined && !isOpaqueDirectory(diff))
      copyTree(join(parentDirectory, "diff"), "/", directory, "whole")
    copyTree(diff, "/", directory, "whole", { overlayDiff: true })
    // killed between these two, the stage's owner is dead and the whole directory goes
    removeTree(diff)
    renameSync(whole, diff)
  },
  isOpaque: () => false,
  mount(layers, row, lower) {
    const shown = row.kind === "view" ? (lower[0] ?? row) : row
    return bindMount(join(layers, directoryOf(shown), "diff"), row.kind === "active")
  },
}
