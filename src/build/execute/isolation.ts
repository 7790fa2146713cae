import { accessSync, constants, existsSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import { hasWholeProc } from "../../sys/fs/mount.ts"
import { hasCapability, ourStanding, type Standing } from "../../sys/rootless/privilege.ts"

/**
 * What stands between a step and us, best first:
 *
 *   full        an OCI runtime: all namespaces, cgroups, a network of its own, a filter of system calls
 *   userns      namespaces of users, mounts, processes, IPC and names; our network, our cgroup, our filter
 *   single-uid  the same with one id: files can belong to nobody but root, and no step can run as another user
 *   chroot      another root and fewer capabilities: the step sees our network, and could signal our processes
 */
export type IsolationLevel = "full" | "userns" | "single-uid" | "chroot"
export type IsolationWish = IsolationLevel | "auto"

export interface Isolation {
  level: IsolationLevel
  /** What kept it from being `full`; empty when it was asked for, or nothing did. */
  reason: string
}

interface StepNeeds {
  network: "default" | "none" | "host"
  /** An OCI runtime, by name. */
  runtime: string | undefined
}

/** The best level that this place allows, or the one that is wished for. Throws FailedPrecondition when it cannot be. */
export function chooseIsolation(wish: IsolationWish, needs: StepNeeds): Isolation {
  const standing = ourStanding()
  if (wish === "auto") return bestIsolation(standing, needs)
  const obstacle = obstacleTo(wish, standing, needs)
  if (obstacle !== undefined)
    throw new FailedPrecondition(`--isolation ${wish} is not possible here: ${obstacle}`, {
      hint: "leave it out, or say auto: the best level that is possible is taken, and named",
    })
  return { level: wish, reason: "" }
}

/** Whether RUN knows root alone, as far as that is decided before its needs are known. */
export function isSingleUid(wish: IsolationWish = "auto"): boolean {
  return wish === "single-uid" || (wish === "auto" && ourStanding() === "single-id-world")
}

function bestIsolation(standing: Standing, needs: StepNeeds): Isolation {
  const reason = obstacleTo("full", standing, needs)
  if (reason === undefined) return { level: "full", reason: "" }
  if (standing === "powerless") {
    const obstacle = obstacleTo("chroot", standing, needs)
    if (obstacle !== undefined) throw noneIsPossible(`${reason}; ${obstacle}`)
    return { level: "chroot", reason }
  }
  return { level: standing === "single-id-world" ? "single-uid" : "userns", reason }
}

function noneIsPossible(why: string): FailedPrecondition {
  return new FailedPrecondition(`no step can run here, at any isolation level: ${why}`, {
    hint: "give this container the default capabilities, or run it as an ordinary user with user namespaces allowed",
  })
}

function obstacleTo(level: IsolationLevel, standing: Standing, needs: StepNeeds): string | undefined {
  if (level === "chroot") return hasCapability("SYS_CHROOT") ? undefined : "no CAP_SYS_CHROOT"
  if (standing === "powerless") return "no CAP_SYS_ADMIN, and no user namespace can be made"
  if (level === "userns") return standing === "single-id-world" ? "one user id is mapped" : undefined
  if (level === "single-uid") return undefined
  return obstacleToFull(standing, needs)
}

const known = new Map<string, string | undefined>()

/** Only what can be told without trying; a host where all is in order pays for a few looks at files, once. */
function obstacleToFull(standing: Standing, needs: StepNeeds): string | undefined {
  const key = `${needs.network} ${needs.runtime ?? ""}`
  if (!known.has(key)) known.set(key, lookForObstacle(standing, needs))
  return known.get(key)
}

function lookForObstacle(standing: Standing, { network, runtime }: StepNeeds): string | undefined {
  const runtimes = runtime === undefined ? ["crun", "runc"] : [runtime]
  if (runtimes.every((name) => findProgram(name) === undefined)) return `no ${runtimes.join(" or ")}`
  if (standing === "root") {
    if (network === "default" && !hasCapability("NET_ADMIN")) return "no CAP_NET_ADMIN"
    // systemd keeps the folder of v1's hierarchies read-only
    return isWritable(existsSync("/sys/fs/cgroup/pids") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup")
      ? undefined
      : "cgroups cannot be written"
  }
  if (network === "default" && !existsSync("/dev/net/tun")) return "no /dev/net/tun"
  if (network === "default" && findProgram("pasta") === undefined) return "no pasta"
  return hasWholeProc() ? undefined : "parts of /proc are masked"
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
