import { close, libc } from "../libc.ts"
import { isAlive, type StartTime } from "./process.ts"

// the same numbers on every architecture
const SYS_PIDFD_SEND_SIGNAL = 424
const SYS_PIDFD_OPEN = 434

/**
 * Signals the process that was started then, by a handle on it (pidfd_open(2)): its number may be another's between the look and the
 * signal, the handle is not. False when it is gone, or may not be signalled; nothing was done then.
 */
export function signalByHandle(pid: number, startTime: StartTime, signal: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  const handle = Number(libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0, 0))
  if (handle < 0) return false
  try {
    // looked at behind the handle: what it names cannot change any more
    return isAlive(pid, startTime) && Number(libc.syscall(SYS_PIDFD_SEND_SIGNAL, handle, signal, 0, 0, 0)) === 0
  } finally {
    close(handle)
  }
}

/** Whether it is the first process of a pid namespace of its own: with it the kernel ends all others there. */
export function isFirstOfNamespace(status: string): boolean {
  // one number for each namespace, from /proc's inwards
  return /^NSpid:\t\d+(?:\t\d+)*\t1$/m.test(status)
}
