/**
 * The rootless namespaces of an ordinary user: a user, a mount and a network namespace that a pause process holds open.
 *
 * The engine enters the first two and is root there; it stays in the host's network namespace, so that it reaches registries
 * and can start pasta. The network namespace is the "host side" of the containers' networks: bridge, rules, addresses.
 * They live as long as any process in them does, so a killed pause process is replaced from within (pause-process.ts).
 */
import { readFileSync, readlinkSync } from "node:fs"
import { defaultPaths, rootlessUid } from "../fs/paths.ts"
import { processStartTime } from "../process/process.ts"

/** What the pause process's record in the run root says. All of it must be true of the process, or it is not trusted. */
export interface RootlessNamespaces {
  pausePid: number
  /** Clock ticks after boot. */
  pauseStartTime: number
  /** As /proc/PID/ns names them: `user:[4026532201]`. */
  userNamespace: string
  mountNamespace: string
  /** Only the caller's own id is mapped: there was no subordinate range. */
  singleId: boolean
}

/** Where the rootless namespaces are on record. */
export const namespacesFile = (runRoot: string): string => `${runRoot}/pause.json`

/** Where the namespaces' network namespace is bound; seen as such only from inside. */
export const netnsFile = (runRoot: string): string => `${runRoot}/rootless.netns`

/** The namespaces on record, with their pause process alive or not; undefined when there is no record that can be read. */
export function recordedNamespaces(runRoot: string): RootlessNamespaces | undefined {
  try {
    const value = JSON.parse(readFileSync(namespacesFile(runRoot), "utf8")) as Record<keyof RootlessNamespaces, unknown>
    const { pausePid, pauseStartTime, userNamespace, mountNamespace, singleId } = value
    if (!Number.isSafeInteger(pausePid) || !Number.isSafeInteger(pauseStartTime)) return undefined
    if (typeof userNamespace !== "string" || typeof mountNamespace !== "string") return undefined
    return { ...(value as unknown as RootlessNamespaces), singleId: singleId === true }
  } catch {
    return undefined // none, or half of one: no worse than none
  }
}

/** Whether the very process on record still holds the very namespaces on record. */
export function pauseProcessLives(namespaces: RootlessNamespaces): boolean {
  return (
    processStartTime(namespaces.pausePid) === namespaces.pauseStartTime && isMember(namespaces.pausePid, namespaces)
  )
}

/** Whether process `pid` is in the namespaces' user and mount namespaces. */
export function isMember(pid: number, { userNamespace, mountNamespace }: RootlessNamespaces): boolean {
  return namespaceOf(pid, "user") === userNamespace && namespaceOf(pid, "mnt") === mountNamespace
}

/** `user:[4026532201]`; undefined when the process is gone or not ours to look at. */
export function namespaceOf(pid: number | "self", kind: "user" | "mnt"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`)
  } catch {
    return undefined
  }
}

/** Inside the rootless namespaces: the path that opens their network namespace. Undefined as real root, whose networks are the host's. */
export function rootlessNetns(): string | undefined {
  return rootlessUid() === undefined ? undefined : netnsFile(defaultPaths().runRoot)
}

/** Inside rootless namespaces of one id (the user had no subordinate range): files can belong to nobody else. */
export function isSingleIdMap(): boolean {
  return rootlessUid() !== undefined && readFileSync("/proc/self/uid_map", "latin1").trim().split("\n").length === 1
}
