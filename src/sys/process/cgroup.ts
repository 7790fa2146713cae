/** Control groups: what this host has, where ours lie, what their counters say. */
import { existsSync, readdirSync, readFileSync, rmdirSync, statfsSync } from "node:fs"
import { join } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import { rootlessUid } from "../fs/paths.ts"

/** `hybrid`: controllers on v1, others left on v2. */
export type CgroupVersion = "v1" | "hybrid" | "v2"

/** The host's cgroups, as far as limits depend on them. */
export interface Cgroups {
  version: CgroupVersion
  /** Controllers that we may use: all mounted ones as root, the delegated ones as an ordinary user. */
  controllers: string[]
  /** Controllers of a hybrid host's v2 hierarchy. crun refuses the host while there is any. */
  unifiedControllers: string[]
  /**
   * Who makes the cgroups. `cgroupfs`: the runtime, below `/skiff`. `systemd`: the user's own systemd, as only it may move
   * a process out of the login session's scope. `disabled`: nobody, so no limit can be held.
   */
  manager: "cgroupfs" | "systemd" | "disabled"
  /** The container shall have none, though it could. */
  isUnwanted?: boolean
  /** Swap can be bounded. */
  swap: boolean
  /** Why controllers are missing, and what the user does about it. */
  remedy: string
}

/** Where the hierarchies are mounted. */
export const CGROUP_ROOT = "/sys/fs/cgroup"
const ROOT = CGROUP_ROOT
const PARENT = "skiff"
const USER_SLICE = "user.slice"
const CGROUP2_MAGIC = 0x63677270
const V1_CONTROLLERS = ["memory", "cpu", "cpuset", "pids", "blkio", "devices", "freezer", "cpuacct", "hugetlb", "rdma"]

let known: Cgroups | undefined

/** Looks at the host, once a process. `uid`: the ordinary user who is asking, undefined for root. */
export function detectCgroups(uid = rootlessUid()): Cgroups {
  return (known ??= detect(uid))
}

function detect(uid: number | undefined): Cgroups {
  const version = detectVersion()
  const unifiedControllers = version === "hybrid" ? words(`${ROOT}/unified/cgroup.controllers`) : []
  if (version !== "v2") {
    const controllers = uid === undefined ? V1_CONTROLLERS.filter((name) => existsSync(join(ROOT, name))) : []
    return {
      version,
      controllers,
      unifiedControllers,
      manager: uid === undefined ? "cgroupfs" : "disabled",
      swap: existsSync(`${ROOT}/memory/memory.memsw.limit_in_bytes`),
      remedy:
        uid === undefined
          ? "mount the cgroup controllers below /sys/fs/cgroup"
          : "an ordinary user cannot have limits on cgroup v1: boot with systemd.unified_cgroup_hierarchy=1, or run as root",
    }
  }
  if (uid === undefined)
    return {
      version,
      controllers: words(`${ROOT}/cgroup.controllers`),
      unifiedControllers,
      manager: "cgroupfs",
      swap: true,
      remedy: "this kernel lacks the cgroup controller",
    }
  const bus = userBus(uid)
  const userService = join(ROOT, userServicePath(uid))
  return {
    version,
    controllers: bus ? words(`${userService}/cgroup.controllers`) : [],
    unifiedControllers,
    manager: bus ? "systemd" : "disabled",
    swap: true,
    remedy: bus
      ? "have root delegate it: mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=yes\\n' " +
        "> /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload, then log in again"
      : `log in as that user (a systemd session, or: loginctl enable-linger ${uid}), so that limits are delegated`,
  }
}

/** Where a runtime mounts the hierarchies of a v1 or hybrid host: those of the host, and all that the kernel has. */
export function hierarchyPaths(): string[] {
  if (detectVersion() === "v2") return []
  const mounted = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const kernel = content("/proc/cgroups")?.matchAll(/^(\w+)\t/gm) ?? []
  const names = new Set([...mounted.map(({ name }) => name), ...Array.from(kernel, ([, name = ""]) => name)])
  return [...names].map((name) => join(ROOT, name))
}

function detectVersion(): CgroupVersion {
  try {
    if (statfsSync(ROOT).type === CGROUP2_MAGIC) return "v2"
    return statfsSync(`${ROOT}/unified`).type === CGROUP2_MAGIC ? "hybrid" : "v1"
  } catch {
    return "v1"
  }
}

/** Whether the user's systemd can be asked: its bus, or its private socket, is there. */
function userBus(uid: number): boolean {
  const runtimeDir = process.env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`
  return existsSync(`${runtimeDir}/bus`) && existsSync(`${runtimeDir}/systemd/private`)
}

function userServicePath(uid: number): string {
  return `user.slice/user-${uid}.slice/user@${uid}.service`
}

/**
 * `linux.cgroupsPath` of a container (config-linux.md#cgroups-path): always set, below our own parent unless another is given: a
 * clean absolute path, or for systemd the name of a slice.
 */
export function cgroupsPath(id: string, { manager }: Pick<Cgroups, "manager">, parent?: string): string | undefined {
  if (manager === "disabled") return undefined
  if (manager === "systemd") return `${parent ?? USER_SLICE}:${PARENT}:${id}`
  return parent === undefined ? `/${PARENT}/${id}` : join("/", parent, `${PARENT}-${id}`)
}

/** The directories of a container's cgroup by controller (`""`: the one of v2). They need not exist. */
export function cgroupDirectories(id: string, cgroups: Cgroups, parent?: string): Map<string, string> {
  if (!/^[\w.-]+$/.test(id) || /^\.+$/.test(id)) throw new RangeError(`"${id}" is no container id`)
  const uid = rootlessUid()
  if (cgroups.manager === "systemd" && uid !== undefined) {
    const slice = slicePath(parent ?? USER_SLICE)
    return new Map([["", join(ROOT, userServicePath(uid), slice, `${PARENT}-${id}.scope`)]])
  }
  const path = cgroupsPath(id, { manager: "cgroupfs" }, parent) ?? ""
  if (cgroups.version === "v2") return new Map([["", join(ROOT, path)]])
  return new Map(
    readdirSync(ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => [entry.name, join(ROOT, entry.name, path)]),
  )
}

/** systemd.slice(5): `a-b.slice` lies in `a.slice`. */
function slicePath(slice: string): string {
  const parts = slice.replace(/\.slice$/, "").split("-")
  return join(...parts.map((_, index) => `${parts.slice(0, index + 1).join("-")}.slice`))
}

/** Whether the kernel has a file of a controller of v1, as the root cgroup shows. */
export function hasCgroupFile(controller: string, name: string): boolean {
  return existsSync(join(ROOT, controller, name))
}

/**
 * Removes what is left of a container's cgroup: empty directories of its name below its parent only. Processes are never killed by
 * it; a directory that still has some stays. Says whether none is left. Safe to repeat.
 */
export function removeCgroup(id: string, cgroups: Cgroups, parent?: string): boolean {
  if (cgroups.manager !== "cgroupfs") return true
  let isGone = true
  for (const directory of cgroupDirectories(id, cgroups, parent).values()) isGone = removeEmptyTree(directory) && isGone
  return isGone
}

/** Removes the directories that containers' cgroups lay in, where none is left. Safe to repeat, and beside other stores. */
export function removeOwnParents(): void {
  const hierarchies = detectVersion() === "v2" ? [ROOT] : readdirSync(ROOT).map((name) => join(ROOT, name))
  for (const hierarchy of hierarchies)
    try {
      rmdirSync(join(hierarchy, PARENT))
    } catch {
      // ENOENT: none was made; EBUSY: another store's containers; EACCES: an ordinary user has none of his own
    }
}

function removeEmptyTree(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return true
  }
  // EBUSY: there are some below it, or it still has processes
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (below.length === 0) return false
    for (const entry of below) removeEmptyTree(join(directory, entry.name))
    rmdirSync(directory)
    return true
  } catch (error) {
    return hasErrno(error, "ENOENT")
  }
}

/**
 * Whether process `pid` is in the cgroup of container `id`, in every hierarchy that has one for it. The proof before
 * anything is killed by cgroup: a path that was resolved to `/` would end every process of the host.
 */
export function isInOwnCgroup(pid: number, id: string): boolean {
  const lines = content(`/proc/${pid}/cgroup`)?.split("\n") ?? []
  const paths = lines.map((line) => line.replace(/^\d+:[^:]*:/, "")).filter((path) => path !== "/")
  return paths.length > 0 && paths.every((path) => isOwnPath(path, id))
}

function isOwnPath(path: string, id: string): boolean {
  const names = path.split("/")
  const at = names.indexOf(id)
  return (
    (at > 0 && names[at - 1] === PARENT) ||
    [`${PARENT}-${id}.scope`, `${PARENT}-${id}`].some((name) => names.includes(name))
  )
}

/** How often the kernel's OOM killer ended a process of the cgroup. */
export function readOomKills(directories: ReadonlyMap<string, string>): number {
  const legacy = directories.get("memory")
  const path =
    legacy === undefined ? join(directories.get("") ?? "", "memory.events") : join(legacy, "memory.oom_control")
  const [, count = "0"] = /^oom_kill (\d+)$/m.exec(content(path) ?? "") ?? []
  return Number(count)
}

function content(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim()
  } catch {
    return undefined
  }
}

function words(path: string): string[] {
  return (
    content(path)
      ?.split(" ")
      .filter((word) => word !== "") ?? []
  )
}
