import { mkdirSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition } from "../../base/errors.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import { adoptOrphans, reapChildren } from "../../sys/process/become.ts"
import { findProgram, ownCommand, readText } from "../../sys/host.ts"
import { namesIn } from "../../base/names-in.ts"
import { parentOf, processStartTime, signalProcess } from "../../sys/process/process.ts"
import type { Pid, StartTime } from "../../sys/process/process.ts"
import { ourPrivilege, type Privilege } from "../../sys/rootless/privilege.ts"
import type { StepLevel } from "./level.ts"
import { StepProcess } from "./step-process.ts"

const SIGKILL = 9
const SIGTERM = 15
const KILL_POLL_MS = 5
const END_MS = 5_000

/** Which program is run, and where its state lies. */
export interface StepOptions {
  level: StepLevel
  /** Directory of the records of running steps. */
  state: string
  id: string
  /** Holds config.json. */
  bundle: string
  pidFile: string
  logFile: string
}

/** Runs the program of a bundle to its end, and ends all that it has left running; gives its exit code. */
export async function superviseStep(options: StepOptions): Promise<number> {
  const { state, id, bundle, pidFile } = options
  const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as OciConfig
  adoptOrphans()
  // `delete` asks so; by the kernel's own hand we would leave the program's children behind
  const ended = new AbortController()
  process.on("SIGTERM", () => ended.abort())
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const record = join(state, id)
  atomicWrite(record, `${process.pid} ${processStartTime(process.pid)}`)
  try {
    const plan = planOf(options, config)
    const child = new StepProcess(plan.words, config.process.terminal === true)
    atomicWrite(pidFile, String(child.pid))
    const kill = (): void => void killDescendants()
    if (ended.signal.aborted) kill()
    ended.signal.addEventListener("abort", kill, { once: true })
    if (plan.map !== undefined) await child.mapIds(plan.map)
    const code = await child.exited
    await endDescendants()
    await child.drained
    return code
  } finally {
    await endDescendants()
    rmSync(record, { force: true })
  }
}

/** What the program left in the background ends with the step, as it would with a pid namespace. */
async function endDescendants(): Promise<void> {
  while (killDescendants()) {
    await sleep(KILL_POLL_MS)
    reapChildren()
  }
}

interface Plan {
  words: string[]
  /** Of the new user namespace that it makes, where it cannot say so itself. */
  map?: "all"
}

/** By unshare(1), as a process with threads cannot make a pid namespace that it is in itself, nor a user namespace. */
function planOf({ level, bundle, logFile }: StepOptions, { linux }: OciConfig): Plan {
  const privilege = ourPrivilege()
  const map = newMap(level, privilege)
  const enter = [...ownCommand(), "_step", "--level", level, "--bundle", bundle, "--log", logFile, "enter"]
  if (privilege === "unprivileged") return { words: enter }
  const unshare = findProgram("unshare")
  if (unshare === undefined) throw new FailedPrecondition("unshare of util-linux is not installed")
  const kinds = [...kindsOf(level, linux.namespaces), ...(map === undefined ? [] : ["user"])]
  if (map === "own") kinds.push("map-root-user")
  if (map !== "all") return { words: inNamespaces(unshare, kinds, enter) }
  return { words: inNamespaces(unshare, kinds, ["/bin/sh", "-c", AWAIT_MAP, "sh", ...enter]), map }
}

function inNamespaces(unshare: string, flags: readonly string[], command: readonly string[]): string[] {
  return [unshare, ...flags.map((flag) => `--${flag}`), "--fork", "--kill-child", "--", ...command]
}
/** As unshare(1) calls them. Throws FailedPrecondition. */
function kindsOf(level: StepLevel, namespaces: OciConfig["linux"]["namespaces"]): string[] {
  if (level === "chroot") return ["mount"]
  const joined = namespaces.find(({ path }) => path !== undefined)
  if (joined)
    throw new FailedPrecondition(`the ${joined.type} namespace ${joined.path} cannot be joined at level ${level}`)
  return namespaces.map(({ type }) => (type === "network" ? "net" : type))
}

/** capabilities(7): a program that is started by an unmapped user has none, so the next one waits. */
const AWAIT_MAP = 'read -r _ <&3 && exec "$@" 3<&-'

/** Undefined where the user namespace that we are in is the step's. */
function newMap(level: StepLevel, privilege: Privilege): "own" | "all" | undefined {
  if (level === "single-uid" && privilege !== "rootless-single-id") return "own"
  return level === "userns" && privilege === "root" ? "all" : undefined
}

/** False when there is none left. Orphans are our children, so that none can escape by a second fork. */
function killDescendants(): boolean {
  // a /proc of other processes than ours, as it is inside a step of another build: its numbers mean somebody else
  if (readlinkSync("/proc/self") !== String(process.pid)) return false
  const children = new Map<number, number[]>()
  for (const name of namesIn("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found: number[] = []
  for (
    let next = children.get(process.pid) ?? [];
    next.length > 0;
    next = next.flatMap((pid) => children.get(pid) ?? [])
  )
    found.push(...next)
  for (const pid of found) {
    const startTime = processStartTime(pid)
    if (startTime !== undefined) signalProcess(pid as Pid, startTime, SIGKILL)
  }
  return found.length > 0
}

/** Ends a step that a killed build left. False when there is none of that name. */
export async function endStep(state: string, id: string): Promise<boolean> {
  const record = join(state, id)
  const [pid = 0, startTime] = (readText(record) ?? "").split(" ").map(Number)
  if (startTime === undefined) return false
  const deadline = Date.now() + END_MS
  while (processStartTime(pid) === startTime && Date.now() < deadline) {
    signalProcess(pid as Pid, startTime as StartTime, SIGTERM)
    await sleep(KILL_POLL_MS)
  }
  rmSync(record, { force: true })
  return true
}
