import { readFileSync } from "node:fs"

const NS_PER_TICK = 10_000_000 // USER_HZ is 100 wherever there is a /proc (proc_pid_stat(5))

/** What the children of a process that it has waited for have used, theirs among it. Undefined numbers may not be read. */
export interface ChildrenUsage {
  /** In steps of 10 ms. */
  cpuNs: number
  /** The process's own are among them. */
  readBytes?: number
  writtenBytes?: number
}

/** Undefined when the process is gone. */
export function childrenUsage(pid: number): ChildrenUsage | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    const [user = 0, system = 0] = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .slice(13, 15)
      .map(Number)
    return { cpuNs: (user + system) * NS_PER_TICK, ...blockBytes(pid) }
  } catch {
    return undefined
  }
}

/** proc_pid_io(5): who may not trace the process may not read it. */
function blockBytes(pid: number): Pick<ChildrenUsage, "readBytes" | "writtenBytes"> {
  try {
    const text = readFileSync(`/proc/${pid}/io`, "latin1")
    const [, read = "0"] = /^read_bytes: (\d+)$/m.exec(text) ?? []
    const [, written = "0"] = /^write_bytes: (\d+)$/m.exec(text) ?? []
    return { readBytes: Number(read), writtenBytes: Number(written) }
  } catch {
    return {}
  }
}
