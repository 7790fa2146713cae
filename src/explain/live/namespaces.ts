/** The namespaces of a process, and who else is in each (namespaces(7)). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** Kinds, by their names in /proc/PID/ns, with the kernel that brought each. */
export const NAMESPACE_KINDS = [
  { kind: "mnt", since: "2.4.19", year: 2002, flag: "--mount" },
  { kind: "uts", since: "2.6.19", year: 2006, flag: "--uts" },
  { kind: "ipc", since: "2.6.19", year: 2006, flag: "--ipc" },
  { kind: "pid", since: "2.6.24", year: 2008, flag: "--pid" },
  { kind: "net", since: "2.6.24", year: 2008, flag: "--net" },
  { kind: "user", since: "3.8", year: 2013, flag: "--user" },
  { kind: "cgroup", since: "4.6", year: 2016, flag: "--cgroup" },
  { kind: "time", since: "5.6", year: 2020, flag: "--time" },
] as const

/** As /proc/PID/ns names it. */
export type NamespaceKind = (typeof NAMESPACE_KINDS)[number]["kind"]

/** One namespace of a container. */
export interface NamespaceFact {
  kind: NamespaceKind
  /** The first kernel that has it. */
  since: string
  /** What tells it from others while it lives. */
  inode: number
  /** Nobody outside the container is in it; `host`: the engine is, too; `shared`: others are. */
  owner: "container" | "host" | "shared"
  /** Of `shared`: containers by their names, other processes as `name (pid)`; at most ten. */
  sharedWith: readonly string[]
  /** The line of a shell that makes such a one, or joins this one. */
  shell: string
}

const MAX_SHARERS = 10

/** What is looked at of all processes, once for all kinds. */
interface Neighbour {
  pid: number
  links: ReadonlyMap<NamespaceKind, string>
}

/**
 * The namespaces of process `pid`, whose container has `members`' mark in its control group or its PID namespace. `names`: the other
 * running containers, by the pid of their first process. Throws errno errors when it is gone.
 */
export function namespaceFacts(pid: number, id: string, names: ReadonlyMap<number, string>): NamespaceFact[] {
  const own = linksOf(pid)
  const engine = linksOf("self")
  const neighbours = neighboursOf(pid, id, own, engine)
  return NAMESPACE_KINDS.flatMap(({ kind, since, flag }) => {
    const link = own.get(kind)
    if (link === undefined) return []
    const sharers = neighbours.filter(({ links }) => links.get(kind) === link)
    const isHost = engine.get(kind) === link
    const shared = new Set(sharers.map((one) => names.get(one.pid) ?? nameOf(one.pid)))
    const owner = isHost ? "host" : sharers.length > 0 ? "shared" : "container"
    const [holder] = sharers
    return [
      {
        kind,
        since,
        inode: Number(/\d+/.exec(link)?.[0] ?? 0),
        owner,
        sharedWith: owner === "shared" ? [...shared].slice(0, MAX_SHARERS) : [],
        shell:
          owner === "container"
            ? [
                "unshare",
                flag,
                ...(kind === "pid" ? ["--fork"] : []),
                ...(kind === "time" ? timeOffsets(pid) : []),
              ].join(" ")
            : owner === "shared"
              ? `nsenter --target ${holder?.pid ?? pid} ${flag}`
              : "",
      },
    ]
  })
}

function linksOf(pid: number | "self"): Map<NamespaceKind, string> {
  return new Map(
    NAMESPACE_KINDS.flatMap(({ kind }) => {
      try {
        return [[kind, readlinkSync(`/proc/${pid}/ns/${kind}`)] as const]
      } catch (error) {
        // an older kernel has fewer kinds; of a process that is gone there is none at all
        if (kind === "mnt") throw error
        return []
      }
    }),
  )
}

/** All processes that are not the container's own. */
function neighboursOf(
  pid: number,
  id: string,
  own: ReadonlyMap<NamespaceKind, string>,
  engine: ReadonlyMap<NamespaceKind, string>,
): Neighbour[] {
  const hasOwnPids = own.get("pid") !== engine.get("pid")
  return readdirSync("/proc").flatMap((name) => {
    const other = Number(name)
    if (!Number.isInteger(other) || other === pid) return []
    try {
      const links = linksOf(other)
      // its monitor is named by its id, too
      const isMember = ["cgroup", "cmdline"].some((file) =>
        readFileSync(`/proc/${other}/${file}`, "latin1").includes(id),
      )
      if (isMember || (hasOwnPids && links.get("pid") === own.get("pid") && !inContainer(other))) return []
      return [{ pid: other, links }]
    } catch {
      return [] // gone, or not ours to see
    }
  })
}

/** Whether the control group of a process names some container. */
function inContainer(pid: number): boolean {
  return /[0-9a-f]{64}/.test(readFileSync(`/proc/${pid}/cgroup`, "latin1"))
}

/** unshare(1)'s words for the clocks of a process (time_namespaces(7)); none where they are the host's. */
export function timeOffsets(pid: number): string[] {
  if (linksOf(pid).get("time") === linksOf("self").get("time")) return []
  const text = readFileSync(`/proc/${pid}/timens_offsets`, "latin1")
  return [...text.matchAll(/^(monotonic|boottime)\s+(-?\d+)/gm)].flatMap(([, clock, seconds]) =>
    seconds === "0" ? [] : [`--${clock}=${seconds}`],
  )
}

function nameOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (${pid})`
  } catch {
    return `(${pid})`
  }
}
