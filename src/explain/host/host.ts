/** This machine, as far as containers depend on it: what the pages that teach are filled with. */
import { existsSync, readdirSync, statSync } from "node:fs"
import { release } from "node:os"
import { accountName } from "../../sys/account.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { detectCgroups } from "../../sys/process/cgroup.ts"
import { subordinateIds, type IdRange } from "../../sys/rootless/id-map.ts"
import { readValue } from "../live/cgroups.ts"
import { mountTable } from "../live/mount-table.ts"
import { securityModules } from "../live/security-modules.ts"
import { NAMESPACE_KINDS, type NamespaceKind } from "../live/namespaces.ts"
import { parseIdMap, type IdMapLine } from "../live/process.ts"

/** A kind of namespace on this machine. */
export interface NamespaceOnHost {
  kind: NamespaceKind
  since: string
  year: number
  flag: string
  /** This kernel has it. */
  isThere: boolean
  /** Of the process that looks. */
  inode?: number | undefined
  /** How many different ones the processes that we may look at are in. */
  count: number
  /** How many of the kind one user may have (/proc/sys/user). */
  limit?: number | undefined
}

/** A hierarchy of control groups. */
export interface HierarchyOnHost {
  path: string
  version: 1 | 2
  controllers: readonly string[]
}

/** All of it. */
export interface HostFacts {
  kernel: string
  user: string
  /** Undefined as root. */
  rootlessUid?: number
  namespaces: readonly NamespaceOnHost[]
  cgroup: {
    version: "v1" | "hybrid" | "v2"
    hierarchies: readonly HierarchyOnHost[]
    /** Those that this user may set limits with. */
    usable: readonly string[]
    manager: string
    /** Our own: as /proc/self/cgroup says it. */
    own: readonly string[]
    /** Why some are missing. */
    remedy: string
  }
  uidRanges: readonly IdRange[]
  gidRanges: readonly IdRange[]
  uidMap: readonly IdMapLine[]
  securityModules: readonly string[]
  /** The most of a process's address space, pids, and of user namespaces. */
  pidMax?: number
}

/** Looks at /proc and /sys; some milliseconds. Throws nothing that a usual host would give it reason to. */
export function hostFacts(): HostFacts {
  const uid = rootlessUid()
  const own = uid ?? process.getuid?.() ?? 0
  const ids = own === 0 ? undefined : subordinateIds(own)
  const cgroups = detectCgroups()
  const pidMax = number("/proc/sys/kernel/pid_max")
  return {
    kernel: release(),
    user: own === 0 ? "root" : (accountName(own) ?? String(own)),
    ...(uid === undefined ? {} : { rootlessUid: uid }),
    namespaces: namespacesOnHost(),
    cgroup: {
      version: cgroups.version,
      hierarchies: hierarchies(),
      usable: cgroups.controllers,
      manager: cgroups.manager,
      own: readValue("/proc/self/cgroup")?.split("\n") ?? [],
      remedy: cgroups.remedy,
    },
    uidRanges: ids?.uids ?? [],
    gidRanges: ids?.gids ?? [],
    uidMap: parseIdMap(readValue("/proc/self/uid_map") ?? ""),
    securityModules: securityModules(),
    ...(pidMax === undefined ? {} : { pidMax }),
  }
}

function namespacesOnHost(): NamespaceOnHost[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  return NAMESPACE_KINDS.map(({ kind, since, year, flag }) => {
    const inode = inodeOf("self", kind)
    const all = new Set(pids.map((pid) => inodeOf(pid, kind)).filter((one) => one !== undefined))
    const limit = number(`/proc/sys/user/max_${kind}_namespaces`)
    const isThere = inode !== undefined
    return { kind, since, year, flag, isThere, inode, count: all.size, limit }
  })
}

function inodeOf(pid: string, kind: NamespaceKind): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/${kind}`).ino
  } catch {
    return undefined // gone, not ours to see, or of a later kernel
  }
}

function hierarchies(): HierarchyOnHost[] {
  const mounts = mountTable("self").filter(({ type, target }) => type.startsWith("cgroup") && existsSync(target))
  const unique = [...new Map(mounts.map((mount) => [mount.target, mount])).values()]
  return unique.map(({ target, type, superOptions }) =>
    type === "cgroup2"
      ? {
          path: target,
          version: 2,
          controllers: (readValue(`${target}/cgroup.controllers`) ?? "").split(" ").filter(Boolean),
        }
      : {
          path: target,
          version: 1,
          controllers: superOptions.filter((one) => /^(?:[a-z_]+|name=.*)$/.test(one) && !OPTIONS.has(one)),
        },
  )
}

/** Of a hierarchy of v1, that are no controllers. */
const OPTIONS = new Set(["xattr", "noprefix", "clone_children", "none", "nsdelegate", "memory_recursiveprot"])

function number(path: string): number | undefined {
  const text = readValue(path)
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
