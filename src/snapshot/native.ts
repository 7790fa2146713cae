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
  async prepare(directory, parentDirectory, signal) {
    if (parentDirectory !== undefined)
      await copyTree(join(parentDirectory, "diff"), "/", join(directory, "diff"), "/", { signal })
  },
  async publish(directory, parentDirectory, signal) {
    const diff = join(directory, "diff")
    const whole = join(directory, "whole")
    await removeTree(whole) // of a call that was killed
    if (parentDirectory !== undefined && !isOpaqueDirectory(diff))
      await copyTree(join(parentDirectory, "diff"), "/", directory, "whole", { signal })
    await copyTree(diff, "/", directory, "whole", { overlayDiff: true, signal })
    // killed between these two, the stage's owner is dead and the whole directory goes
    await removeTree(diff)
    renameSync(whole, diff)
  },
  isOpaque: () => false,
  mount(layers, row, lower) {
    const shown = row.kind === "view" ? (lower[0] ?? row) : row
    return bindMount(join(layers, directoryOf(shown), "diff"), row.kind === "active")
  },
}
