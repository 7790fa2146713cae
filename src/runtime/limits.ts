/** Limits of a container that is there already. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { detectCgroups, cgroupDirectories, hasCgroupFile, type Cgroups } from "../sys/process/cgroup.ts"
import type { OciResources } from "../spec/oci-runtime.ts"
import { giveRealtimeBudget } from "../sys/process/realtime-budget.ts"
import { blockIoWrites, writeCgroup } from "./config/block-io-files.ts"
import { placedCgroups } from "./config/cgroup-placement.ts"
import { hostCpus } from "./config/config.ts"
import { hostSets, liveResources, liveWrites, type ControllerWrites } from "./config/live-resources.ts"
import { toResources } from "./config/resources.ts"
import type { CgroupPlacement, LimitChange, ResourceLimits, Runtime } from "./runtime.ts"

/** See `Runtimes.checkLimits`. */
export function checkLimits(limits: ResourceLimits, placement?: CgroupPlacement): void {
  resourcesOf(limits, placedCgroups(placement, detectCgroups()))
}

/** See `Runtimes.changeLimits`. */
export async function changeLimits(runtime: Runtime, id: string, change: LimitChange): Promise<void> {
  const cgroups = placedCgroups(change.placement, detectCgroups())
  const after = resourcesOf(change.after, cgroups)
  giveRealtimeBudget(after.cpu?.realtimeRuntime, cgroups, change.placement?.parent)
  const before = formerResources(change.before, cgroups)
  const version = cgroups.version === "v2" ? "v2" : "v1"
  writeAll(id, cgroups, liveWrites(version, { before, after }, hostSets()), change.placement)
  const live = liveResources(after)
  if (Object.keys(live).length > 0) await runtime.update(id, live)
}

/** See `Runtimes.weighBlockIo`. Nothing where none is asked for. */
export function weighBlockIo(id: string, limits: ResourceLimits, placement?: CgroupPlacement): void {
  const cgroups = placedCgroups(placement, detectCgroups())
  const { blkioWeight, blkioWeightDevices } = limits
  const { blockIO } = resourcesOf({ blkioWeight, blkioWeightDevices }, cgroups)
  const writes = blockIoWrites(cgroups.version === "v2" ? "v2" : "v1", {}, blockIO)
  writeAll(id, cgroups, [{ controller: "blkio", writes }], placement)
}

function writeAll(id: string, cgroups: Cgroups, parts: readonly ControllerWrites[], placement?: CgroupPlacement): void {
  const directories = cgroupDirectories(id, cgroups, placement?.parent)
  for (const { controller, writes } of parts) {
    const directory = directories.get(cgroups.version === "v2" ? "" : controller)
    if (directory !== undefined && writes.length > 0) for (const one of withInner(directory)) writeCgroup(one, writes)
  }
}

/** In a scope of systemd's crun makes a cgroup of its own, which has the same limits: the inner one would hold what the outer lifts. */
function withInner(directory: string): string[] {
  const inner = join(directory, "container")
  return existsSync(inner) ? [directory, inner] : [directory]
}

/** Of limits that held once: what is no longer valid, such as a device that is gone, holds no more. */
function formerResources(limits: ResourceLimits, cgroups: Cgroups): OciResources {
  try {
    return resourcesOf(limits, cgroups)
  } catch {
    return {}
  }
}

function resourcesOf(limits: ResourceLimits, cgroups: Cgroups): OciResources {
  const { version, controllers, swap, remedy } = cgroups
  return (
    toResources(limits, { cgroup: version, controllers, swap, remedy, cpus: hostCpus(), hasFile: hasCgroupFile }) ?? {}
  )
}
