import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { close, libc } from "../libc.ts"

// the same number on every architecture
const SYS_PIDFD_OPEN = 434
const SYS_PIDFD_GETFD = 438

/**
 * A descriptor of our own, close-on-exec, for what another process has open (pidfd_getfd(2)), as `/proc/PID/fd` names it: `socket:[4711]`. Only
 * processes called one of `names` are looked at. Undefined when none has it, or it is not ours to take.
 */
export function takeDescriptor(what: string, names: ReadonlySet<string>): number | undefined {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue
    try {
      if (!names.has(readFileSync(`/proc/${pid}/comm`, "latin1").trim())) continue
      const fd = readdirSync(`/proc/${pid}/fd`).find((name) => readlinkSync(`/proc/${pid}/fd/${name}`) === what)
      const taken = fd === undefined ? undefined : takeFrom(Number(pid), Number(fd))
      if (taken === undefined) continue
      // the process may be anybody's that goes by such a name, and may have put another one there meanwhile
      if (readlinkSync(`/proc/self/fd/${taken}`) === what) return taken
      close(taken)
    } catch {
      // it has ended, or is not ours to look at
    }
  }
  return undefined
}

function takeFrom(pid: number, fd: number): number | undefined {
  const process = Number(libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0, 0))
  if (process < 0) return undefined
  try {
    const taken = Number(libc.syscall(SYS_PIDFD_GETFD, process, fd, 0, 0, 0))
    return taken < 0 ? undefined : taken
  } finally {
    close(process)
  }
}
