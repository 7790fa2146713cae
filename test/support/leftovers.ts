/**
 * What tests leave on the host. Whoever runs them adopts the orphans of every process below it (PR_SET_CHILD_SUBREAPER), so a
 * process that outlives its test is known for certain; mounts, links, tables, cgroups and directories are compared with before.
 */
import { dlopen, FFIType } from "bun:ffi"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const PR_SET_CHILD_SUBREAPER = 36
const WNOHANG = 1
/** waitid(2): any child that has ended, and stays to be waited for. */
const P_ALL = 0
const WEXITED_WNOHANG_WNOWAIT = 4 | 1 | 0x1000000
const SIGINFO_BYTES = 128
/** Of si_pid, on 64 bits. */
const SIGINFO_PID = 16
/** A signal that came while the last one was handled is not repeated. */
const REAP_AGAIN_MS = 250

/** By kind, what there is: `mount` → its mount points. */
export type HostThings = Readonly<Record<string, readonly string[]>>

const { symbols: libc } = dlopen("libc.so.6", {
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  waitid: { args: [FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
})

/** What the kernel and the temporary directory hold now, as far as tests of ours could have made it. */
export function hostThings(): HostThings {
  return {
    mount: lines(read("/proc/self/mountinfo"))
      .map(mountPoint)
      // what a container mounts comes out to the host's own where that is shared, and something is wrong
      .filter((path) => isOurs(path) || /^\/(sys|proc|dev)\//.test(path)),
    link: names("/sys/class/net"),
    table: lines(spawnSync("nft", ["list", "tables"], { encoding: "utf8" }).stdout ?? ""),
    cgroup: [...directoriesBelow("/sys/fs/cgroup")].filter(isContainerOfOurs),
    directory: names(tmpdir())
      .filter(isOurs)
      .map((name) => join(tmpdir(), name)),
  }
}

/** What is there now and was not before, as lines `kind: name`. */
export function newThings(before: HostThings, now: HostThings = hostThings()): string[] {
  return Object.entries(now).flatMap(([kind, all]) =>
    all.filter((name) => before[kind]?.includes(name) !== true).map((name) => `${kind}: ${name}`),
  )
}

/** From now on every orphan below this process becomes its child, and is reaped here as init would. */
export function adoptOrphans(): Orphans {
  if (libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error("prctl(PR_SET_CHILD_SUBREAPER) failed")
  return new Orphans()
}

export class Orphans implements Disposable {
  readonly #own = new Set<number>()
  readonly #timer: NodeJS.Timeout

  constructor() {
    process.on("SIGCHLD", this.#reap)
    this.#timer = setInterval(this.#reap, REAP_AGAIN_MS)
  }

  /** A child that is waited for elsewhere. */
  own(pid: number): void {
    this.#own.add(pid)
  }

  /** Processes below this one that are none of its own. */
  left(): { pid: number; command: string }[] {
    this.#reap()
    const table = processTable()
    const isBelow = (pid: number): boolean => {
      const parent = table.get(pid)?.parent ?? 0
      return parent === process.pid || (parent > 1 && isBelow(parent))
    }
    return [...table.values()]
      .filter(({ pid, state }) => state !== "Z" && !this.#own.has(pid) && isBelow(pid))
      .map(({ pid }) => ({ pid, command: commandOf(pid) }))
  }

  readonly #reap = (): void => {
    const info = Buffer.alloc(SIGINFO_BYTES)
    for (;;) {
      info.fill(0)
      if (libc.waitid(P_ALL, 0, info, WEXITED_WNOHANG_WNOWAIT) !== 0) return
      const pid = info.readInt32LE(SIGINFO_PID)
      // one of ours is first waited for by who started it; then it is our turn again
      if (pid === 0 || this.#own.has(pid)) return
      libc.waitpid(pid, null, WNOHANG)
    }
  };

  [Symbol.dispose](): void {
    process.off("SIGCHLD", this.#reap)
    clearInterval(this.#timer)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
  }
}

interface ProcessRow {
  pid: number
  parent: number
  state: string
}

function processTable(): Map<number, ProcessRow> {
  const table = new Map<number, ProcessRow>()
  for (const name of names("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const stat = read(`/proc/${name}/stat`)
    const [state = "", parent = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (stat !== "") table.set(Number(name), { pid: Number(name), parent: Number(parent), state })
  }
  return table
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() || read(`/proc/${pid}/comm`).trim()
}

/** Everything that tests make has the name in it; what other programs do meanwhile is theirs. */
const isOurs = (path: string): boolean => path.includes("skiff")

/** The parent of all containers of the host stays, as docker's does. To an ordinary user other users' are none of his. */
function isContainerOfOurs(cgroup: string): boolean {
  if (!isOurs(cgroup) || cgroup.endsWith("/skiff")) return false
  const uid = process.getuid?.()
  return uid === 0 || statSync(cgroup, { throwIfNoEntry: false })?.uid === uid
}

/** proc_pid_mountinfo(5): the fifth field. */
const mountPoint = (line: string): string => line.split(" ")[4] ?? ""

const lines = (text: string): string[] => text.split("\n").filter(Boolean)

function* directoriesBelow(path: string): Generator<string> {
  for (const entry of entries(path)) {
    if (!entry.isDirectory()) continue
    yield join(path, entry.name)
    yield* directoriesBelow(join(path, entry.name))
  }
}

function entries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return [] // it went meanwhile
  }
}

const names = (path: string): string[] => entries(path).map(({ name }) => name)

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // it went meanwhile
  }
}
