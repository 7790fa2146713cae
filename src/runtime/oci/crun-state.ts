/**
 * crun's own directory of a container, `<root>/<id>/`. Two of its commands do little there, yet cost a process each (3 to 6 ms);
 * what they do where nothing is out of the ordinary is done here. Every other case is left to crun.
 */
import { closeSync, constants, openSync, readFileSync, rmSync, unlinkSync, writeSync } from "node:fs"
import { join } from "node:path"
import { cgroupsPath, removeCgroup, type Cgroups } from "../../sys/process/cgroup.ts"
import { isAlive, type StartTime } from "../../sys/process/process.ts"

/** What is done there without crun. */
export interface CrunState {
  /** Lets the program of a created container begin, as `crun start` does. False: nothing was done, crun must. */
  start(id: string): boolean
  /** Removes all that is left of a container that has ended, as `crun delete`. False: crun must finish. Safe to repeat. */
  deleteEnded(id: string): boolean
}

/** `root`: crun's `--root`. */
export function openCrunState(root: string, cgroups: Cgroups): CrunState {
  return {
    start: (id) => writeStartByte(join(root, id, "exec.fifo")),
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
    const { pid, "process-start-time": startTime, "cgroup-path": cgroup } = status
    if (typeof cgroup === "string" && cgroup !== "" && cgroup !== cgroupsPath(id, { manager: "cgroupfs" })) return false
    return typeof pid === "number" && typeof startTime === "number" && !isAlive(pid, startTime as StartTime)
  } catch {
    return false
  }
}
