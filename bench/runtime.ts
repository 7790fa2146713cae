import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"

const HUGETLB = "/sys/fs/cgroup/hugetlb"

/**
 * crun refuses hybrid hosts whose hugetlb controller is bound to no hierarchy. For the time of the bench it gets one, so
 * that skiff and podman run the same runtime. Gives the note for the table, and the undoing.
 */
export function makeCrunWork(): { note?: string; undo(): void } {
  const hybrid = existsSync("/sys/fs/cgroup/unified/cgroup.controllers")
  if (!hybrid || existsSync(HUGETLB)) return { undo: () => {} }
  mkdirSync(HUGETLB)
  const mounted = spawnSync("mount", ["-t", "cgroup", "-o", "hugetlb", "cgroup", HUGETLB]).status === 0
  return {
    ...(mounted
      ? { note: "The hugetlb controller was mounted for the run, without which crun refuses this hybrid host." }
      : {}),
    undo: () => {
      if (mounted) spawnSync("umount", [HUGETLB])
      spawnSync("rmdir", [HUGETLB])
    },
  }
}
