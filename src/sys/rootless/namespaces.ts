/**
 * The world of an ordinary user: a user, a mount and a network namespace that a keeper process holds open.
 *
 * The engine enters the first two and is root there; it stays in the host's network namespace, so that it reaches registries
 * and can start pasta. The network namespace is the "host side" of the containers' networks: bridge, rules, addresses.
 * A world lives as long as any process of it does, so a killed keeper is replaced from within (keeper.ts).
 */
import { readFileSync, readlinkSync } from "node:fs"
import { defaultPaths, rootlessUid } from "../fs/paths.ts"
import { processStartTime } from "../process/process.ts"

/** What the keeper's record in the run root says. All of it must be true of the process, or it is not trusted. */
export interface World {
  keeperPid: number
  /** Clock ticks after boot. */
  keeperStartTime: number
  /** As /proc/PID/ns names them: `user:[4026532201]`. */
  userNamespace: string
  mountNamespace: string
  /** Only the caller's own id is mapped: there was no subordinate range. */
  singleId: boolean
}

export const worldFile = (runRoot: string): string => `${runRoot}/keeper.json`

/** Where the world's network namespace is bound; seen as such only from inside. */
export const netnsFile = (runRoot: string): string => `${runRoot}/keeper.netns`

/** The world on record, with its keeper alive or not; undefined when there is no record that can be read. */
export function recordedWorld(runRoot: string): World | undefined {
  try {
    const value = JSON.parse(readFileSync(worldFile(runRoot), "utf8")) as Record<keyof World, unknown>
    const { keeperPid, keeperStartTime, userNamespace, mountNamespace, singleId } = value
    if (!Number.isSafeInteger(keeperPid) || !Number.isSafeInteger(keeperStartTime)) return undefined
    if (typeof userNamespace !== "string" || typeof mountNamespace !== "string") return undefined
    return { ...(value as unknown as World), singleId: singleId === true }
  } catch {
    return undefined // none, or half of one: no worse than none
  }
}

/** Whether the very process on record still holds the very namespaces on record. */
export function keeperLives(world: World): boolean {
  return processStartTime(world.keeperPid) === world.keeperStartTime && isMember(world.keeperPid, world)
}

/** Whether process `pid` is in the world's user and mount namespaces. */
export function isMember(pid: number, { userNamespace, mountNamespace }: World): boolean {
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

/** Inside a world: the path that opens its network namespace. Undefined as real root, whose networks are the host's. */
export function rootlessNetns(): string | undefined {
  return rootlessUid() === undefined ? undefined : netnsFile(defaultPaths().runRoot)
}

/** Inside a world of one id (the user had no subordinate range): files can belong to nobody else. */
export function isSingleIdMap(): boolean {
  return rootlessUid() !== undefined && readFileSync("/proc/self/uid_map", "latin1").trim().split("\n").length === 1
}
