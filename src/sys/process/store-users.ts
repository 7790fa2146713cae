/** Who is at work on a store: found by what the kernel says of each process, as nobody keeps a list of them. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { basename } from "node:path"
import type { StorePaths } from "../fs/paths.ts"

/** A process that works on a store at this moment. */
export interface StoreUser {
  pid: number
  /** Its command line, for people. */
  command: string
  /** Of a container, that it keeps the output and the exit code of. */
  isMonitor: boolean
}

/** Other processes that have the store's database open, or are about to: skiff itself, and monitors that call it at an end. */
export function storeUsers({ root, runRoot }: StorePaths): StoreUser[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    const argv = commandLine(pid)
    if (argv.length === 0) return []
    const isMonitor = isMonitorOf(argv, runRoot)
    const uses = isMonitor || isOwnCommand(argv, root) || hasOpen(pid, `${root}/skiff.db`)
    return uses ? [{ pid, command: argv.join(" "), isMonitor }] : []
  })
}

/** conmon names the bundle in its arguments. */
function isMonitorOf(argv: readonly string[], runRoot: string): boolean {
  return basename(argv[0] ?? "") === "conmon" && argv.some((word) => word.startsWith(`${runRoot}/`))
}

/** Commands that monitors and watchers call name the store. */
function isOwnCommand(argv: readonly string[], root: string): boolean {
  return argv.includes(root) && ["_cleanup", "_sweep", "_supervise"].some((verb) => argv.includes(verb))
}

/** Processes that a process has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === path)
  } catch {
    return false // ended, or another user's
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean)
  } catch {
    return []
  }
}
