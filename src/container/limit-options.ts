import type { DeviceCgroupRule } from "../spec/docker/device-rule.ts"

/** Limits that are no number in a cgroup's file: a part of `ContainerOptions`. All may be left out. */
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
