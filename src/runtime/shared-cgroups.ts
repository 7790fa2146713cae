/** Cgroups that several containers lie in, bounded as a whole: made by the engine, as no runtime makes a parent with limits. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { FailedPrecondition, Unsupported } from "../base/errors.ts"
import { cgroupDirectories, cgroupsPath, detectCgroups, hasCgroupFile, removeCgroup } from "../sys/process/cgroup.ts"
import { cgroupWrites, type CgroupWrite } from "./config/cgroup-files.ts"
import { placedCgroups } from "./config/cgroup-placement.ts"
import { hostCpus } from "./config/config.ts"
import { toResources } from "./config/resources.ts"
import type { ResourceLimits, SharedCgroups } from "./runtime.ts"

const ROOT = "/sys/fs/cgroup"

const nameOf = (id: string): string => `pod-${id}`

/** Of this host. Looks at nothing before it is asked. */
export const sharedCgroups: SharedCgroups = {
  path(id, parent) {
    const cgroups = detectCgroups()
    return cgroups.manager === "cgroupfs" ? cgroupsPath(nameOf(id), cgroups, parent) : undefined
  },

  check: (limits, parent) => void checkedWrites(limits, parent),

  make(id, limits, parent) {
    const writes = checkedWrites(limits, parent)
    const cgroups = detectCgroups()
    if (cgroups.manager !== "cgroupfs") return
    const directories = cgroupDirectories(nameOf(id), cgroups, parent)
    for (const { controller, file, value } of writes) {
      const directory = directories.get(cgroups.version === "v2" ? "" : controller) ?? ""
      if (cgroups.version === "v2") enable(controller, directory)
      else makeV1(controller, directory)
      writeLimit(join(directory, file), value)
    }
  },

  remove(id, parent) {
    const cgroups = detectCgroups()
    removeCgroup(nameOf(id), cgroups, parent)
  },
}

/** Throws InvalidArgument, and FailedPrecondition where the host cannot hold a limit. */
function checkedWrites(limits: ResourceLimits, parent: string | undefined): CgroupWrite[] {
  const cgroups = placedCgroups({ parent }, detectCgroups())
  const { version, controllers, swap, remedy } = cgroups
  const support = { cgroup: version, controllers, swap, remedy, cpus: hostCpus(), hasFile: hasCgroupFile }
  const writes = cgroupWrites(toResources(limits, support) ?? {}, version === "v2")
  if (writes.length > 0 && cgroups.manager === "systemd")
    throw new Unsupported("several containers cannot be limited as a whole: their cgroups are made by systemd", {
      hint: "limit each of them, or run as root",
    })
  return writes
}

/** cgroups(7), v2: a controller acts in a directory when all above it pass it on. */
function enable(controller: string, directory: string): void {
  mkdirSync(directory, { recursive: true })
  const above: string[] = []
  for (let path = dirname(directory); path.startsWith(ROOT); path = dirname(path)) above.unshift(path)
  for (const path of above) writeFileSync(join(path, "cgroup.subtree_control"), `+${controller}`)
}

/** On v1 a directory of cpuset has no CPUs and no memory until they are written, and its children can have no more. */
function makeV1(controller: string, directory: string): void {
  const parent = dirname(directory)
  if (parent.startsWith(ROOT) && !existsSync(parent)) makeV1(controller, parent)
  mkdirSync(directory, { recursive: true })
  if (controller !== "cpuset") return
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    const own = readFileSync(join(directory, name), "latin1").trim()
    if (own === "") writeFileSync(join(directory, name), readFileSync(join(parent, name)))
  }
}

function writeLimit(path: string, value: string): void {
  try {
    writeFileSync(path, value)
  } catch (cause) {
    throw new FailedPrecondition(`the kernel refuses the limit "${value}" in ${path}`, {
      cause,
    })
  }
}
