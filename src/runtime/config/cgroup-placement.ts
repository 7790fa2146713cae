import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { Cgroups } from "../../sys/process/cgroup.ts"
import type { CgroupPlacement } from "../runtime.ts"

/** The host's cgroups for a container that shall have none: a limit is refused, and the reason is the caller's own choice. */
export function noCgroup(cgroups: Cgroups): Cgroups {
  const remedy = "the container was asked to have no cgroup: leave that out, or the limit"
  return { ...cgroups, manager: "disabled", isUnwanted: true, controllers: [], remedy }
}

/** The host's cgroups as a container's placement leaves them. Throws InvalidArgument, FailedPrecondition for a parent that cannot be. */
export function placedCgroups({ disabled = false, parent }: CgroupPlacement = {}, cgroups: Cgroups): Cgroups {
  if (disabled) return noCgroup(cgroups)
  if (parent !== undefined) checkParent(parent, cgroups)
  return cgroups
}

function checkParent(parent: string, { manager, remedy }: Cgroups): void {
  const field = "cgroup.parent"
  if (manager === "disabled")
    throw new FailedPrecondition(`the cgroup parent "${parent}" cannot be had: this user has no cgroups`, {
      field,
      hint: remedy,
    })
  if (manager === "systemd") {
    if (/^[\w.:-]+\.slice$/.test(parent) && !/^-|--|-\.slice$/.test(parent)) return
    throw new InvalidArgument(`cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"`, {
      field,
    })
  }
  // `..` would leave the hierarchy that we are in, and the root cgroup is everybody's
  const names = parent.replace(/^\/|\/$/g, "").split("/")
  if (names.every((name) => /^[\w.@:-]+$/.test(name) && !/^\.+$/.test(name))) return
  throw new InvalidArgument(`invalid cgroup parent "${parent}"`, { field, hint: "such as /my-group" })
}
