import { readFileSync, writeFile } from "node:fs"
import { rootlessUid } from "../fs/paths.ts"

let ownProcs: string | undefined

/**
 * Has the kernel do beforehand what the next process that enters a cgroup would wait for. The lock of such moves
 * (cgroup_threadgroup_rwsem) goes idle when it is not used, and its first taker then waits for an RCU grace period: 8 ms
 * where the kernel ticks 250 times a second. Who takes it within the next period does not. Moving ourselves to where we are
 * takes it and changes nothing; a thread waits there, while we go on. An ordinary user's cgroups are systemd's to make.
 */
export function wakeCgroupLock(): void {
  if (rootlessUid() !== undefined) return
  ownProcs ??= findOwnProcs()
  // whether it works or not, the runtime enters the cgroup all the same
  if (ownProcs !== "") writeFile(ownProcs, "0", () => {})
}

/** cgroups(7), /proc/pid/cgroup: `hierarchy:controllers:path`; the lock is one for all hierarchies. */
function findOwnProcs(): string {
  const lines = readFileSync("/proc/self/cgroup", "utf8").split("\n")
  const places = lines.flatMap((line) => {
    const [, controllers = "", path] = line.split(/^\d+:([^:]*):/)
    if (path === undefined || controllers.startsWith("name=")) return []
    return [`/sys/fs/cgroup/${controllers.split(",")[0]}${path}/cgroup.procs`.replaceAll(/\/+/g, "/")]
  })
  // on a hybrid host the controllers of v1 come first, the empty v2 last
  return places[0] ?? ""
}
