/** Files that open a namespace: `/proc/PID/ns/*`, or a bind mount of one (ioctl_ns(2)). */
import { closeSync, openSync, readlinkSync, statSync } from "node:fs"
import { hasErrno } from "../../base/errors.ts"
import { libc } from "../libc.ts"

/** As /proc/PID/ns names them. */
export type NamespaceFileKind = "cgroup" | "ipc" | "mnt" | "net" | "pid" | "time" | "user" | "uts"

const NS_GET_NSTYPE = 0xb703n
/** CLONE_NEW…, clone(2). */
const KINDS: Readonly<Record<number, NamespaceFileKind>> = {
  0x80: "time",
  0x20000: "mnt",
  0x2000000: "cgroup",
  0x4000000: "uts",
  0x8000000: "ipc",
  0x10000000: "user",
  0x20000000: "pid",
  0x40000000: "net",
}

/** Which kind of namespace `path` opens; undefined when it opens none, or is not there. */
export function namespaceKindAt(path: string): NamespaceFileKind | undefined {
  let fd: number
  try {
    fd = openSync(path, "r")
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENXIO")) return undefined
    throw error
  }
  try {
    return KINDS[libc.ioctl(fd, NS_GET_NSTYPE, null)]
  } finally {
    closeSync(fd)
  }
}

/** Whether both paths open the same namespace. Throws errno errors. */
export function isSameNamespace(path: string, other: string): boolean {
  const [one, two] = [statSync(path), statSync(other)]
  return one.ino === two.ino && one.dev === two.dev
}

/** `mnt:[4026532201]`; undefined when the process is gone. */
export function namespaceLink(pid: number, kind: NamespaceFileKind): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`)
  } catch {
    return undefined
  }
}
