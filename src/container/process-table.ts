/** Processes of a container by podman's descriptors, read from /proc: nothing of the image is run. */
import { readFileSync } from "node:fs"
import { userNames, type UserNames } from "../sys/fs/image-users.ts"
import { capabilitiesOf, CAPABILITY_BITS } from "../sys/process/process-capabilities.ts"

/** What is read of one process. */
interface Process {
  pid: number
  status: Map<string, string>
  /** Fields of /proc/PID/stat from the state (the third) on. */
  stat: readonly string[]
  args: string
  label: string
  /** Names in the container, and on the host. */
  inside: UserNames
  outside: UserNames
  /** From ids of the host to those in the container's user namespace. */
  uids: IdMap
  gids: IdMap
}

type IdMap = readonly { inside: number; outside: number; count: number }[]

interface Descriptor {
  title: string
  /** As ps(1) of AIX has it. */
  aix?: string
  value(process: Process): string
}

/** Ticks of the kernel's times: 100 on every Linux that there is. */
const TICKS_PER_SECOND = 100

const DESCRIPTORS: Readonly<Record<string, Descriptor>> = {
  args: { title: "COMMAND", aix: "%a", value: ({ args, status }) => args || `[${status.get("Name") ?? ""}]` },
  capamb: { title: "AMBIENT CAPS", value: (one) => capabilities(one, "CapAmb") },
  capbnd: { title: "BOUNDING CAPS", value: (one) => capabilities(one, "CapBnd") },
  capeff: { title: "EFFECTIVE CAPS", value: (one) => capabilities(one, "CapEff") },
  capinh: { title: "INHERITED CAPS", value: (one) => capabilities(one, "CapInh") },
  capprm: { title: "PERMITTED CAPS", value: (one) => capabilities(one, "CapPrm") },
  comm: { title: "COMMAND", aix: "%c", value: ({ status }) => status.get("Name") ?? "" },
  etime: { title: "ELAPSED", aix: "%t", value: (one) => span(elapsedSeconds(one)) },
  group: { title: "GROUP", aix: "%G", value: (one) => groupName(one, idOf(one, "Gid", 1)) },
  groups: {
    title: "GROUPS",
    value: (one) =>
      groupIds(one)
        .map((id) => groupName(one, id))
        .join(","),
  },
  hgroup: { title: "HGROUP", value: (one) => one.outside.group(idOf(one, "Gid", 1)) },
  hgroups: { title: "HGROUPS", value: (one) => groupIds(one).map(one.outside.group).join(",") },
  hpid: { title: "HPID", value: ({ pid }) => String(pid) },
  huser: { title: "HUSER", value: (one) => one.outside.user(idOf(one, "Uid", 1)) },
  label: { title: "LABEL", value: ({ label }) => label },
  nice: { title: "NI", aix: "%n", value: ({ stat }) => stat[16] ?? "" },
  pcpu: { title: "%CPU", aix: "%C", value: (one) => percent(one) },
  pgid: { title: "PGID", aix: "%r", value: ({ status }) => innermost(status.get("NSpgid")) },
  pid: { title: "PID", aix: "%p", value: ({ status }) => innermost(status.get("NSpid")) },
  ppid: { title: "PPID", aix: "%P", value: ({ status }) => parentPid(status) },
  rgroup: { title: "RGROUP", aix: "%g", value: (one) => groupName(one, idOf(one, "Gid", 0)) },
  rss: { title: "RSS", value: ({ status }) => kilobytes(status.get("VmRSS")) },
  ruser: { title: "RUSER", aix: "%u", value: (one) => userName(one, idOf(one, "Uid", 0)) },
  seccomp: { title: "SECCOMP", value: ({ status }) => SECCOMP[Number(status.get("Seccomp") ?? 0)] ?? "" },
  state: { title: "STATE", value: ({ status }) => status.get("State")?.slice(0, 1) ?? "" },
  stime: { title: "STIME", value: (one) => new Date(Date.now() - elapsedSeconds(one) * 1000).toISOString() },
  time: { title: "TIME", aix: "%x", value: (one) => span(cpuSeconds(one)) },
  tty: { title: "TTY", aix: "%y", value: ({ stat }) => terminal(Number(stat[4] ?? 0)) },
  user: { title: "USER", aix: "%U", value: (one) => userName(one, idOf(one, "Uid", 1)) },
  vsz: { title: "VSZ", aix: "%z", value: ({ status }) => kilobytes(status.get("VmSize")) },
}

const SECCOMP = ["disabled", "strict", "filter"]

function byAix(text: string): string | undefined {
  return Object.keys(DESCRIPTORS).find((name) => DESCRIPTORS[name]?.aix === text)
}

/** The descriptors that all of `words` are, separated by commas or not; undefined when they are options of ps(1). Pure. */
export function parseDescriptors(words: readonly string[]): string[] | undefined {
  const names = words.flatMap((word) => word.split(",")).filter(Boolean)
  const found = names.map((name) => (Object.hasOwn(DESCRIPTORS, name) ? name : byAix(name)))
  return found.length > 0 && found.every((name) => name !== undefined) ? found : undefined
}

/** A row for each process that is still there; the container's root is read for names, and may be hostile. */
export function processTable(
  pids: Iterable<number>,
  names: readonly string[],
  rootfs: string,
): { titles: string[]; processes: string[][] } {
  const chosen = names.map((name) => DESCRIPTORS[name]).filter((one) => one !== undefined)
  const users = { inside: userNames(rootfs), outside: userNames("/") }
  const processes = [...pids]
    .toSorted((a, b) => a - b)
    .flatMap((pid) => {
      const process = readProcess(pid, users)
      return process === undefined ? [] : [chosen.map(({ value }) => value(process))]
    })
  return { titles: chosen.map(({ title }) => title), processes }
}

function readProcess(pid: number, users: Pick<Process, "inside" | "outside">): Process | undefined {
  try {
    const text = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8")
    const lines = text("status").split("\n")
    const stat = text("stat")
    return {
      pid,
      status: new Map(lines.map((line) => [line.split(":", 1)[0] ?? "", line.slice(line.indexOf(":") + 1).trim()])),
      // the second field is the name, in parentheses, and may hold anything
      stat: stat.slice(stat.lastIndexOf(")") + 2).split(" "),
      args: text("cmdline").replaceAll("\0", " ").trim(),
      label: labelOf(pid),
      uids: idMap(text("uid_map")),
      gids: idMap(text("gid_map")),
      ...users,
    }
  } catch {
    return undefined // it has just ended
  }
}

function labelOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/attr/current`, "latin1").replace(/[\0\n]+$/, "")
  } catch {
    return "?" // no security module keeps labels here
  }
}

function idMap(text: string): IdMap {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, outside = 0, count = 0]) => ({ inside, outside, count }))
}

/** The nth of real, effective, saved and file system id. */
function idOf({ status }: Process, name: "Uid" | "Gid", nth: number): number {
  return Number(status.get(name)?.split(/\s+/)[nth] ?? 0)
}

function groupIds({ status }: Process): number[] {
  return (status.get("Groups") ?? "").split(/\s+/).filter(Boolean).map(Number)
}

function userName({ inside, uids }: Process, id: number): string {
  return inside.user(mapped(uids, id))
}

function groupName({ inside, gids }: Process, id: number): string {
  return inside.group(mapped(gids, id))
}

function mapped(map: IdMap, id: number): number {
  const range = map.find(({ outside, count }) => id >= outside && id < outside + count)
  return range === undefined ? id : range.inside + id - range.outside
}

function capabilities({ status }: Process, set: string): string {
  const names = capabilitiesOf(status.get(set) ?? "")
  if (names.length === 0) return "none"
  return names.length >= CAPABILITY_BITS.length ? "full" : names.map((name) => name.replace(/^CAP_/, "")).join(",")
}

/** As the process sees itself: the last of its ids. */
function innermost(ids = ""): string {
  return ids.split(/\s+/).at(-1) ?? ""
}

/** 0 for the first process, whose parent is outside. */
function parentPid(status: ReadonlyMap<string, string>): string {
  if (innermost(status.get("NSpid")) === "1") return "0"
  try {
    const parent = readFileSync(`/proc/${status.get("PPid")}/status`, "latin1")
    return innermost(/^NSpid:\s*(.*)$/m.exec(parent)?.[1])
  } catch {
    return "0"
  }
}

function elapsedSeconds({ stat }: Process): number {
  const [uptime = "0"] = readFileSync("/proc/uptime", "latin1").split(" ")
  return Math.max(0, Number(uptime) - Number(stat[19] ?? 0) / TICKS_PER_SECOND)
}

function cpuSeconds({ stat }: Process): number {
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / TICKS_PER_SECOND
}

function percent(one: Process): string {
  const elapsed = elapsedSeconds(one)
  return (elapsed === 0 ? 0 : (100 * cpuSeconds(one)) / elapsed).toFixed(3)
}

/** As Go writes it: `1h2m3s`. */
function span(seconds: number): string {
  const whole = Math.floor(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const rest = (seconds - hours * 3600 - minutes * 60).toFixed(whole === 0 ? 2 : 0)
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${Number(rest)}s`
}

function terminal(device: number): string {
  if (device === 0) return "?"
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : `${major}:${minor}`
}

function kilobytes(text = "0"): string {
  return text.replace(/\s*kB$/, "")
}
