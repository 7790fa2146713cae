import { readdirSync, readFileSync } from "node:fs"

/** Proportional set size of one process in KiB: shared pages count by their share. 0 when it has gone. */
function pssKib(pid: string): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0)
  } catch {
    return 0
  }
}

export const processes = (): Set<string> => new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)))

/** Memory of the processes that came since `before`, in MiB, but for the containers' own program. */
export function newProcessesMib(before: ReadonlySet<string>, program: string): number {
  let kib = 0
  for (const pid of processes()) {
    if (before.has(pid)) continue
    try {
      if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== program) kib += pssKib(pid)
    } catch {
      // it has just ended
    }
  }
  return kib / 1024
}

/** Memory of all processes of these names, in MiB: the daemons. */
export function namedMib(names: readonly string[]): number {
  return (
    [...processes()].reduce((sum, pid) => {
      try {
        return names.includes(readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ? sum + pssKib(pid) : sum
      } catch {
        return sum
      }
    }, 0) / 1024
  )
}
