/** Cgroups that several containers lie in, bounded as a whole: made by the engine, as no runtime makes a parent with limits. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { FailedPrecondition } from "../base/errors.ts"
import { cgroupDirectories, cgroupsPath, detectCgroups, hasCgroupFile, removeCgroup } from "../sys/process/cgroup.ts"
import { cgroupWrites, type CgroupWrite } from "./config/cgroup-files.ts"
import { placedCgroups } from "./config/cgroup-placement.ts"
import { hostCpus } from "./config/config.ts"
import { toResources } from "./config/resources.ts"
import type { ResourceLimits, SharedCgroups } from "./runtime.ts"
import { makeSlice, removeSlice, sliceName, sliceProperties } from "./user-slices.ts"

const ROOT = "/sys/fs/cgroup"

const nameOf = (id: string): string => `pod-${id}`

/** Of this host. Looks at nothing before it is asked. */
export const sharedCgroups: SharedCgroups = {
  path(id, limits, parent) {
    const cgroups = detectCgroups()
    if (cgroups.manager === "cgroupfs") return cgroupsPath(nameOf(id), cgroups, parent)
    return hasSlice(limits, parent) ? sliceName(id, parent) : undefined
  },

  check: (limits, parent) => void checkedWrites(limits, parent),

  async make(id, limits, parent) {
    const writes = checkedWrites(limits, parent)
    const cgroups = detectCgroups()
    if (hasSlice(limits, parent)) return makeSlice(sliceName(id, parent), sliceProperties(writes))
    if (cgroups.manager !== "cgroupfs") return
    const directories = cgroupDirectories(nameOf(id), cgroups, parent)
    for (const { controller, file, value } of writes) {
      const directory = directories.get(cgroups.version === "v2" ? "" : controller) ?? ""
      if (cgroups.version === "v2") enable(controller, directory)
      else makeV1(controller, directory)
      writeLimit(join(directory, file), value)
    }
  },

  async remove(id, limits, parent) {
    if (detectCgroups().manager === "systemd" && Object.keys(limits).length > 0)
      await removeSlice(sliceName(id, parent))
    else removeCgroup(nameOf(id), detectCgroups(), parent)
  },
}

/** Where systemd makes the cgroups, a slice is made only for limits to hold in. */
function hasSlice(limits: ResourceLimits, parent: string | undefined): boolean {
  return detectCgroups().manager === "systemd" && checkedWrites(limits, parent).length > 0
}

/** Throws InvalidArgument, FailedPrecondition where the host cannot hold a limit, Unsupported where systemd cannot. */
function checkedWrites(limits: ResourceLimits, parent: string | undefined): CgroupWrite[] {
  const cgroups = parent === undefined ? detectCgroups() : placedCgroups({ parent }, detectCgroups())
  const { version, controllers, swap, remedy } = cgroups
  const support = { cgroup: version, controllers, swap, remedy, cpus: hostCpus(), hasFile: hasCgroupFile }
  const writes = cgroupWrites(toResources(limits, support) ?? {}, version === "v2")
  if (cgroups.manager === "systemd") sliceProperties(writes)
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
