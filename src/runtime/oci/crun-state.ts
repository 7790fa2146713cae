/**
 * crun's own directory of a container, `<root>/<id>/`. Three of its commands do little there, yet cost a process each (3 to 6 ms);
 * what they do where nothing is out of the ordinary is done here. Every other case is left to crun.
 */
import { closeSync, constants, openSync, readFileSync, rmSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import { cgroupsPath, removeCgroup, type Cgroups } from "../../sys/process/cgroup.ts"
import { isAlive, type StartTime } from "../../sys/process/process.ts"
import { isFirstOfNamespace, signalByHandle } from "../../sys/process/signal-by-handle.ts"

/** What is done there without crun. */
export interface CrunState {
  /** Lets the program of a created container begin, as `crun start` does. False: nothing was done, crun must. */
  start(id: string): boolean
  /** Signals the first process, as `crun kill` does. False: nothing was done, crun must. */
  signal(id: string, signal: number): boolean
  /** Removes all that is left of a container that has ended, as `crun delete`. False: crun must finish. Safe to repeat. */
  deleteEnded(id: string): boolean
}

/** `root`: crun's `--root`. */
export function openCrunState(root: string, cgroups: Cgroups): CrunState {
  return {
    start: (id) => writeStartByte(join(root, id, "exec.fifo")),
    signal(id, signal) {
      const first = firstProcess(join(root, id, "status"))
      return first !== undefined && maySignal(first.pid, signal) && signalByHandle(first.pid, first.startTime, signal)
    },
    deleteEnded(id) {
      const directory = join(root, id)
      // a scope is systemd's to end
      if (cgroups.manager === "systemd" || !hasEnded(join(directory, "status"), id)) return false
      // what still runs there has outlived the first process: crun kills it
      if (!removeCgroup(id, cgroups)) return false
      rmSync(directory, { recursive: true, force: true })
      return true
    },
  }
}

/**
 * The first process of a created container reads one byte from `exec.fifo` before it becomes the program; that the file is
 * gone tells crun that it was started. The same from crun 0.1 to 1.28. Without a reader there is none to start.
 */
function writeStartByte(path: string): boolean {
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch {
    return false
  }
  try {
    unlinkSync(path)
    return writeSync(fd, Uint8Array.of(0)) === 1
  } finally {
    closeSync(fd)
  }
}

/**
 * Whether the first process, which `status` names, is gone, and its cgroup, if it has one, is where ours are. Versions that give no
 * start time are left to the runtime.
 */
function hasEnded(statusFile: string, id: string): boolean {
  try {
    const status = JSON.parse(readFileSync(statusFile, "utf8")) as Record<string, unknown>
    const { "cgroup-path": cgroup } = status
    if (typeof cgroup === "string" && cgroup !== "" && cgroup !== cgroupsPath(id, { manager: "cgroupfs" })) return false
    const first = firstProcessOf(status)
    return first !== undefined && !isAlive(first.pid, first.startTime)
  } catch {
    return false
  }
}

interface FirstProcess {
  pid: number
  startTime: StartTime
}

function firstProcess(statusFile: string): FirstProcess | undefined {
  try {
    return firstProcessOf(JSON.parse(readFileSync(statusFile, "utf8")) as Record<string, unknown>)
  } catch {
    return undefined
  }
}

function firstProcessOf({ pid, "process-start-time": startTime }: Record<string, unknown>): FirstProcess | undefined {
  if (typeof pid !== "number" || typeof startTime !== "number") return undefined
  return { pid, startTime: startTime as StartTime }
}

const SIGKILL = 9

/** Newer versions kill all of the cgroup where a container has no pid namespace of its own: they are left to do it. */
function maySignal(pid: number, signal: number): boolean {
  try {
    return signal !== SIGKILL || isFirstOfNamespace(readFileSync(`/proc/${pid}/status`, "latin1"))
  } catch {
    return false
  }
}
