import { accessSync, constants, existsSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import { hasWholeProc } from "../../sys/fs/mount.ts"
import type { IsolationLevel, RequestedIsolation } from "../build.ts"
import { hasCapability, ourPrivilege, type Privilege } from "../../sys/rootless/privilege.ts"

/** The level that a step gets. */
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

/** The best level that this place allows, or the one that is requested. Throws FailedPrecondition when it cannot be. */
export function chooseIsolation(requested: RequestedIsolation, needs: StepNeeds): Isolation {
  const privilege = ourPrivilege()
  if (requested === "auto") return bestIsolation(privilege, needs)
  const obstacle = obstacleTo(requested, privilege, needs)
  if (obstacle !== undefined)
    throw new FailedPrecondition(`isolation level ${requested} is not possible here: ${obstacle}`, {
      field: "isolation",
      hint: "leave it out, or use auto for the best level that is possible",
    })
  return { level: requested, reason: "" }
}

/** Whether RUN knows root alone, as far as that is decided before its needs are known. */
export function isSingleUid(requested: RequestedIsolation = "auto"): boolean {
  return requested === "single-uid" || (requested === "auto" && ourPrivilege() === "rootless-single-id")
}

function bestIsolation(privilege: Privilege, needs: StepNeeds): Isolation {
  const reason = obstacleTo("full", privilege, needs)
  if (reason === undefined) return { level: "full", reason: "" }
  if (privilege === "unprivileged") {
    const obstacle = obstacleTo("chroot", privilege, needs)
    if (obstacle !== undefined) throw noneIsPossible(`${reason}; ${obstacle}`)
    return { level: "chroot", reason }
  }
  return { level: privilege === "rootless-single-id" ? "single-uid" : "userns", reason }
}

function noneIsPossible(why: string): FailedPrecondition {
  return new FailedPrecondition(`no step can run here, at any isolation level: ${why}`, {
    hint: "give this container the default capabilities, or run it as an ordinary user with user namespaces allowed",
  })
}

function obstacleTo(level: IsolationLevel, privilege: Privilege, needs: StepNeeds): string | undefined {
  if (level === "chroot") return hasCapability("SYS_CHROOT") ? undefined : "no CAP_SYS_CHROOT"
  if (privilege === "unprivileged") return "no CAP_SYS_ADMIN, and no user namespace can be made"
  if (level === "userns") return privilege === "rootless-single-id" ? "one user id is mapped" : undefined
  if (level === "single-uid") return undefined
  return obstacleToFull(privilege, needs)
}

const known = new Map<string, string | undefined>()

/** Only what can be told without trying; a host where all is in order pays for a few looks at files, once. */
function obstacleToFull(privilege: Privilege, needs: StepNeeds): string | undefined {
  const key = `${needs.network} ${needs.runtime ?? ""}`
  if (!known.has(key)) known.set(key, lookForObstacle(privilege, needs))
  return known.get(key)
}

function lookForObstacle(privilege: Privilege, { network, runtime }: StepNeeds): string | undefined {
  const runtimes = runtime === undefined ? ["crun", "runc"] : [runtime]
  if (runtimes.every((name) => findProgram(name) === undefined)) return `no ${runtimes.join(" or ")}`
  if (privilege === "root") {
    if (network === "default" && !hasCapability("NET_ADMIN")) return "no CAP_NET_ADMIN"
    // systemd keeps the directory of v1's hierarchies read-only
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
