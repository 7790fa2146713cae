/** What the kernel says of a process: whose it is, what it may do, how much. */
import { readFileSync, readlinkSync } from "node:fs"
import { capabilitiesOf } from "../../sys/process/process-capabilities.ts"
import { readValue } from "./cgroups.ts"

/** A line of /proc/PID/uid_map: `inside` and up are the host's `outside` and up, `count` of them. */
export interface IdMapLine {
  inside: number
  outside: number
  count: number
}

/** A resource limit of one process (getrlimit(2)). */
export interface RlimitFact {
  name: string
  soft: string
  hard: string
  units: string
}

/** One process. */
export interface ProcessFacts {
  argv: readonly string[]
  uid: number
  gid: number
  groups: readonly number[]
  uidMap: readonly IdMapLine[]
  gidMap: readonly IdMapLine[]
  /** The sets of capabilities(7), by name. */
  capabilities: Readonly<Record<"effective" | "permitted" | "bounding" | "inheritable" | "ambient", readonly string[]>>
  noNewPrivileges: boolean
  /** How system calls are filtered (seccomp(2)), and by how many filters. */
  seccomp: { mode: "disabled" | "strict" | "filter"; filters: number }
  /** The label of the security module, where there is one that labels. */
  label?: string
  rlimits: readonly RlimitFact[]
  /** Who is ended first when memory runs out: the kernel's reckoning (0–2000), and what was added to it. */
  oomScore: number
  oomScoreAdj: number
  threads: number
}

/** Reads /proc/PID. Throws errno errors when it is gone. */
export function processFacts(pid: number): ProcessFacts {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, "utf8")
  const status = new Map(
    read("status")
      .split("\n")
      .map((line) => [line.split(":", 1)[0] ?? "", line.slice(line.indexOf(":") + 1).trim()] as const),
  )
  const field = (name: string): string => status.get(name) ?? ""
  const numbers = (name: string): number[] => field(name).split(/\s+/).filter(Boolean).map(Number)
  const label = readValue(`/proc/${pid}/attr/current`)?.replace(/\0$/, "")
  const [uidMap, gidMap] = [parseIdMap(read("uid_map")), parseIdMap(read("gid_map"))]
  // status shows ids as our own user namespace has them
  const isOurs = readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync("/proc/self/ns/user")
  const inside = (id: number, map: readonly IdMapLine[]): number => (isOurs ? id : idInside(id, map))
  return {
    argv: read("cmdline").split("\0").slice(0, -1),
    uid: inside(numbers("Uid")[1] ?? 0, uidMap),
    gid: inside(numbers("Gid")[1] ?? 0, gidMap),
    groups: numbers("Groups").map((id) => inside(id, gidMap)),
    uidMap,
    gidMap,
    capabilities: {
      effective: capabilitiesOf(field("CapEff")),
      permitted: capabilitiesOf(field("CapPrm")),
      bounding: capabilitiesOf(field("CapBnd")),
      inheritable: capabilitiesOf(field("CapInh")),
      ambient: capabilitiesOf(field("CapAmb")),
    },
    noNewPrivileges: field("NoNewPrivs") === "1",
    seccomp: {
      mode: (["disabled", "strict", "filter"] as const)[Number(field("Seccomp"))] ?? "disabled",
      filters: Number(field("Seccomp_filters") || 0),
    },
    ...(label === undefined || label === "" ? {} : { label }),
    rlimits: parseLimits(read("limits")),
    oomScore: Number(read("oom_score")),
    oomScoreAdj: Number(read("oom_score_adj")),
    threads: Number(field("Threads")),
  }
}

/** user_namespaces(7): what an id that the map does not name is seen as. */
const OVERFLOW_ID = 65_534

/** The number inside a user namespace of an id outside of it. Pure. */
export function idInside(id: number, map: readonly IdMapLine[]): number {
  const line = map.find(({ outside, count }) => id >= outside && id < outside + count)
  return line === undefined ? OVERFLOW_ID : line.inside + id - line.outside
}

/** Pure. */
export function parseIdMap(text: string): IdMapLine[] {
  return text
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number)
      return { inside, outside, count }
    })
}

/** The table of /proc/PID/limits, whose columns stand where they stand. Pure. */
export function parseLimits(text: string): RlimitFact[] {
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => ({
      name: line.slice(0, 26).trim(),
      soft: line.slice(26, 47).trim(),
      hard: line.slice(47, 68).trim(),
      units: line.slice(68).trim(),
    }))
}
