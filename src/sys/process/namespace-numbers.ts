import { readlinkSync } from "node:fs"

/** A kind of namespace, as /proc/PID/ns names it. */
export type NamespaceKind = "cgroup" | "ipc" | "mnt" | "net" | "pid" | "user" | "uts"

/** The inode that says which namespace of a kind a process is in; empty when it has ended. */
export function namespaceNumber(pid: number, kind: NamespaceKind): string {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[1] ?? ""
  } catch {
    return "" // it has just ended
  }
}
