/** Limits that are no number in a cgroup's file. All may be left out. */
import { Unsupported } from "../base/errors.ts"
import type { ConfigInput } from "../runtime/runtime.ts"
import type { DeviceCgroupRule } from "../spec/docker/device-rule.ts"

/** A part of `ContainerOptions`. */
export interface LimitOptions {
  /** -1000 to 1000. Default: the caller's. */
  oomScoreAdj?: number
  /** `disabled`: none of its own; `split`: beside its monitor, below its maker's. Default: one below our own. */
  cgroups?: "disabled" | "split"
  /** Where its cgroup lies. Default: below our own. */
  cgroupParent?: string
  /** On top of what `devices` allow. */
  deviceCgroupRules?: readonly DeviceCgroupRule[]
  /** Of Intel's RDT. */
  rdtClass?: string
  /** Of the storage driver: `size`. */
  storage?: Readonly<Record<string, string>>
}

/** As a `config.json` is made of them. */
export function limitsInput({ cgroups, cgroupParent, ...limits }: LimitOptions = {}): Pick<
  ConfigInput,
  "oomScoreAdj" | "cgroupPlacement" | "deviceCgroupRules" | "rdtClass"
> {
  const { oomScoreAdj, deviceCgroupRules, rdtClass } = limits
  const isPlaced = cgroups !== undefined || cgroupParent !== undefined
  return {
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(isPlaced && { cgroupPlacement: { disabled: cgroups === "disabled", parent: cgroupParent } }),
    ...(deviceCgroupRules && { deviceCgroupRules }),
    ...(rdtClass !== undefined && { rdtClass }),
  }
}

/** For the choice of a runtime: not each of them can leave the cgroup out. */
export function withoutCgroup({ cgroups }: LimitOptions = {}): { withoutCgroup: boolean } {
  return { withoutCgroup: cgroups === "disabled" }
}

/** What can be said without the host. Throws Unsupported, with the reason. */
export function checkLimitOptions({ cgroups, storage = {} }: LimitOptions = {}): void {
  if (cgroups === "split")
    throw new Unsupported("a cgroup cannot be split between the monitor and the container", {
      field: "cgroup.mode",
      hint: "place both by the cgroup of a systemd unit, and the container by its parent",
    })
  const [name] = Object.keys(storage)
  if (name === undefined) return
  throw new Unsupported(
    name === "size"
      ? "the size of a container's layer cannot be bounded: overlay has no quota of its own, and project quotas are not used"
      : `unknown storage option "${name}"`,
    { field: "storage", hint: "put what grows into a volume or a tmpfs of the size that you want" },
  )
}
