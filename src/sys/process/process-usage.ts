/** What the processes of a container use, added up: for hosts where an ordinary user has no cgroups. */
import { readdirSync, readFileSync } from "node:fs"
import type { CgroupCounters } from "./cgroup-reader.ts"
import { namespaceLink } from "./namespace-file.ts"

const NS_PER_TICK = 10_000_000 // USER_HZ is 100 wherever there is a /proc (proc_pid_stat(5))
const PAGE_BYTES = 4096

/**
 * One walk through /proc for all of `pids`, each the first of a container, which has a mount namespace of its own (others it may
 * share). CPU time counts children that were waited for, as their parents do; of a program that ended outside of that tree (an exec)
 * it is lost. Memory is what is resident, shared pages counted once a process.
 */
export function processUsage(pids: readonly number[]): Map<number, CgroupCounters> {
  const byNamespace = new Map<string, number>()
  for (const pid of pids) {
    const namespace = namespaceLink(pid, "mnt")
    if (namespace !== undefined) byNamespace.set(namespace, pid)
  }
  const usages = new Map<number, CgroupCounters>()
  const ownerOf = new Map<number, number>()
  // parents mostly have lower numbers: a process in a namespace below the container's is counted by its parent
  for (const pid of processIds()) {
    const stat = readStat(pid)
    if (stat === undefined) continue
    const owner = byNamespace.get(namespaceLink(pid, "mnt") ?? "") ?? ownerOf.get(stat.parent)
    if (owner === undefined) continue
    ownerOf.set(pid, owner)
    const sum = usages.get(owner)
    usages.set(owner, {
      cpuNs: (sum?.cpuNs ?? 0) + stat.ticks * NS_PER_TICK,
      memoryBytes: (sum?.memoryBytes ?? 0) + stat.residentPages * PAGE_BYTES,
      pids: (sum?.pids ?? 0) + stat.threads,
      ...blockBytes(pid, sum),
    })
  }
  return usages
}

function processIds(): number[] {
  return readdirSync("/proc")
    .flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
    .toSorted((a, b) => a - b)
}

/** proc_pid_stat(5): the name in brackets may hold anything. */
function readStat(pid: number): { parent: number; ticks: number; threads: number; residentPages: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15)
    return {
      parent: fields[1] ?? 0,
      ticks: user + system + childUser + childSystem,
      threads: fields[17] ?? 1,
      residentPages: fields[21] ?? 0,
    }
  } catch {
    return undefined
  }
}

/** proc_pid_io(5), where we may read it. */
function blockBytes(
  pid: number,
  sum: CgroupCounters | undefined,
): Pick<CgroupCounters, "blockReadBytes" | "blockWrittenBytes"> {
  try {
    const text = readFileSync(`/proc/${pid}/io`, "latin1")
    const [, read = "0"] = /^read_bytes: (\d+)$/m.exec(text) ?? []
    const [, written = "0"] = /^write_bytes: (\d+)$/m.exec(text) ?? []
    return {
      blockReadBytes: (sum?.blockReadBytes ?? 0) + Number(read),
      blockWrittenBytes: (sum?.blockWrittenBytes ?? 0) + Number(written),
    }
  } catch {
    return { blockReadBytes: sum?.blockReadBytes, blockWrittenBytes: sum?.blockWrittenBytes }
  }
}
