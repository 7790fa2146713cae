/** What /proc tells of the processes of a container (proc(5)), read by us: nothing runs in it. */
import { createHash } from "node:crypto"
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from "node:fs"
import { namespaceLink } from "../../sys/process/namespace-file.ts"

/** Of one file of /proc; what a program made longer is cut there. */
const MAX_BYTES = 8 * 1024 * 1024
/** Of the command line in a row for people. */
const MAX_ROW_BYTES = 4096
/** Open files and threads of one process. */
const MAX_NAMES = 10_000
const MAX_PROCESSES = 10_000
/** All is held in memory while the container stands still: its programs decide how much there is. */
const MAX_EVIDENCE_BYTES = 64 * 1024 * 1024

/** One file of the archive to be. */
export interface Evidence {
  name: string
  bytes: Uint8Array
}

const TEXTS = [
  "cmdline",
  "environ",
  "status",
  "stat",
  "maps",
  "smaps_rollup",
  "limits",
  "cgroup",
  "mountinfo",
  "uid_map",
  "gid_map",
  "io",
  "wchan",
  "syscall",
  "stack",
  "oom_score",
  "oom_score_adj",
  "sched",
  "loginuid",
  "timens_offsets",
]
const NETWORK = [
  "tcp",
  "tcp6",
  "udp",
  "udp6",
  "unix",
  "raw",
  "raw6",
  "icmp",
  "packet",
  "netlink",
  "route",
  "ipv6_route",
  "if_inet6",
  "fib_trie",
  "arp",
  "dev",
  "sockstat",
  "netstat",
  "snmp",
]
const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] as const

/** Pids, as the host has them, of all that is in the pid namespace of `first`, or of `first` and its mount namespace where that is shared. */
export function processesOf(first: number): number[] {
  const kind = namespaceLink(first, "pid") === namespaceLink(process.pid, "pid") ? "mnt" : "pid"
  const wanted = namespaceLink(first, kind)
  const pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  return pids.filter((pid) => wanted !== undefined && namespaceLink(pid, kind) === wanted).slice(0, MAX_PROCESSES)
}

/** Of each process, until that is too much; the rest is named in `notRead`. */
export function evidenceOfAll(pids: readonly number[]): { evidence: Evidence[]; notRead: number[] } {
  const found: Evidence[] = []
  let left = MAX_EVIDENCE_BYTES
  const notRead = pids.filter((pid) => {
    if (left <= 0) return true
    const own = evidenceOf(pid)
    found.push(...own)
    left -= own.reduce((sum, { bytes }) => sum + bytes.length, 0)
    return false
  })
  return { evidence: found, notRead }
}

/** One process: its files of /proc, what it has open, its program's digest. */
function evidenceOf(pid: number): Evidence[] {
  const directory = `processes/${pid}`
  const texts = TEXTS.flatMap((name) => evidence(`${directory}/${name}`, `/proc/${pid}/${name}`))
  const links = Object.fromEntries(["exe", "cwd", "root"].map((name) => [name, linkOf(`/proc/${pid}/${name}`)]))
  const namespaces = Object.fromEntries(NAMESPACES.map((kind) => [kind, namespaceLink(pid, kind)]))
  const about = {
    pid,
    ...links,
    exeSha256: digestOf(`/proc/${pid}/exe`),
    namespaces,
    files: openFiles(pid),
    threads: threads(pid),
  }
  return [...texts, { name: `${directory}/process.json`, bytes: json(about) }]
}

/** Tables of the network namespace of `pid`. */
export function networkEvidence(pid: number): Evidence[] {
  return NETWORK.flatMap((name) => evidence(`network/${name}`, `/proc/${pid}/net/${name}`))
}

/** A row for each, for people. */
export function processRows(pids: readonly number[]): object[] {
  return pids.map((pid) => {
    const status = fieldsOf(textOf(`/proc/${pid}/status`))
    const words = textOf(`/proc/${pid}/cmdline`, MAX_ROW_BYTES).split("\0").filter(Boolean)
    const { Name, State, PPid, Uid, Gid, NSpid, Threads, VmRSS, CapEff, Seccomp } = status
    return {
      pid,
      pidInside: NSpid?.split(/\s+/).at(-1),
      parent: PPid,
      name: Name,
      state: State,
      uid: Uid,
      gid: Gid,
      threads: Threads,
      memory: VmRSS,
      capabilities: CapEff,
      seccomp: Seccomp,
      words,
    }
  })
}

/** A document as it is stored. */
export function json(value: unknown): Buffer {
  // times in nanoseconds are more than a number of JSON holds
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}` : one), 2)
  return Buffer.from(`${text}\n`)
}

function fieldsOf(status: string): Record<string, string> {
  return Object.fromEntries(
    status.split("\n").flatMap((line) => {
      const at = line.indexOf(":")
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]]
    }),
  )
}

interface OpenFile {
  descriptor: number
  target: string | undefined
  info: Record<string, string>
}

function openFiles(pid: number): OpenFile[] {
  return namesOf(`/proc/${pid}/fd`)
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((descriptor) => ({
      descriptor,
      target: linkOf(`/proc/${pid}/fd/${descriptor}`),
      info: fieldsOf(textOf(`/proc/${pid}/fdinfo/${descriptor}`)),
    }))
}

function threads(pid: number): { id: number; name: string }[] {
  return namesOf(`/proc/${pid}/task`).map((id) => ({
    id: Number(id),
    name: textOf(`/proc/${pid}/task/${id}/comm`).trim(),
  }))
}

function namesOf(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, MAX_NAMES)
  } catch {
    return [] // it has just ended, or is not ours to see
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function textOf(path: string, maxBytes = MAX_BYTES): string {
  return evidence("", path, maxBytes)[0]?.bytes.toString() ?? ""
}

function evidence(name: string, path: string, maxBytes = MAX_BYTES): { name: string; bytes: Buffer }[] {
  let fd: number
  try {
    fd = openSync(path, "r")
  } catch {
    return []
  }
  try {
    const chunks: Buffer[] = []
    for (let size = 0; size < maxBytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, maxBytes - size))
      const count = readSync(fd, chunk, 0, chunk.length, null)
      if (count === 0) break
      chunks.push(chunk.subarray(0, count))
      size += count
    }
    return [{ name, bytes: Buffer.concat(chunks) }]
  } catch {
    return []
  } finally {
    closeSync(fd)
  }
}

/** Larger ones are not read while everything stands still. */
const MAX_PROGRAM_BYTES = 256 * 1024 * 1024
/** Many processes run the same program. */
const digests = new Map<string, string>()

/** Of the program that runs, also where its file was removed. */
function digestOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path)
    if (size > MAX_PROGRAM_BYTES) return undefined
    const key = `${dev}:${ino}:${size}:${mtimeMs}`
    const digest = digests.get(key) ?? digestOfBytes(path)
    digests.set(key, digest)
    return digest
  } catch {
    return undefined
  }
}

/** A piece at a time: a program chooses how long its file is. */
function digestOfBytes(path: string): string {
  const hash = createHash("sha256")
  const piece = Buffer.allocUnsafe(1024 * 1024)
  const fd = openSync(path, "r")
  try {
    for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) hash.update(piece.subarray(0, count))
  } finally {
    closeSync(fd)
  }
  return hash.digest("hex")
}
