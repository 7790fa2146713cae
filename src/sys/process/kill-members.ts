import { readdirSync, statSync } from "node:fs"
import { namespaceLink } from "./namespace-file.ts"
import { processStartTime, signalProcess, type Pid } from "./process.ts"

const SIGKILL = 9
/** Who forks while we look is found by the next look. */
const MOST_LOOKS = 20

/** Whose processes: by their mount namespace, and by their root directory, as the kernel uses numbers of namespaces again. */
export interface Members {
  /** `mnt:[4026532201]`. */
  mountNamespace: string
  /** Host path at which their root is mounted, too. */
  rootfs: string
}

/** Kills them, and those that they start meanwhile. Safe to repeat. */
export function killMembers(members: Members): void {
  const root = statSync(members.rootfs, { throwIfNoEntry: false })
  if (root === undefined) return
  const isMember = (pid: number): boolean =>
    namespaceLink(pid, "mnt") === members.mountNamespace && isDirectoryOf(pid, root)
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name) as Pid] : []))
    const found = pids.filter((pid) => processStartTime(pid) !== undefined && isMember(pid))
    if (found.length === 0) return
    for (const pid of found) {
      const startTime = processStartTime(pid)
      // looked at once more: a pid of a process that has ended may be another's by now
      if (startTime !== undefined && isMember(pid)) signalProcess(pid, startTime, SIGKILL)
    }
  }
}

function isDirectoryOf(pid: number, root: { dev: number; ino: number }): boolean {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/root/`)
    return dev === root.dev && ino === root.ino
  } catch {
    return false // it has ended, or is not ours to look at
  }
}
