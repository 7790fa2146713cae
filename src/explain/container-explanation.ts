import type { Ending, MountAccess, MountPoint, ResolvedOptions } from "../container/container.ts"
import type { ObservedNetwork } from "../network/network.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { CgroupFacts } from "./live/cgroups.ts"
import type { MountFact } from "./live/mount-table.ts"
import type { NamespaceFact } from "./live/namespaces.ts"
import type { ProcessFacts } from "./live/process.ts"
import type { RouteFact } from "./live/routes.ts"

/** One container. */
export interface ContainerExplanation {
  id: string
  name: string
  image: string
  status: string
  argv: readonly string[]
  /** Why it ended, or could not be started. */
  ending?: Ending
  /** As it was asked for. */
  options: ResolvedOptions
  mounts: readonly MountPoint[]
  /** Absent when it does not run: the kernel has nothing of it then. */
  live?: LiveExplanation
}

/** What the kernel has of a container that runs. */
export interface LiveExplanation {
  pid: number
  namespaces: readonly NamespaceFact[]
  cgroup: CgroupFacts
  /** The topmost of the read-only ones first; named as the kernel was given them. */
  layers: { type: string; lower: readonly string[]; upper?: string }
  /** All that its processes see, in the order of making. */
  mounts: readonly MountFact[]
  /** Of volumes and binds: who owns, who runs, whether the one may write. */
  access: readonly MountAccess[]
  /** Absent without an interface of a network of ours. */
  network?: ObservedNetwork
  routes: readonly RouteFact[]
  ports: readonly PortMapping[]
  /** Who answers names on its networks: gateways of those where containers have any. */
  nameServers: readonly string[]
  process: ProcessFacts
  /** Of the runtime's configuration; absent when it runs without a filter. */
  seccomp?: SeccompFact | undefined
  maskedPaths?: readonly string[]
  /** Of this kernel, in their order: those that could confine by labels. */
  securityModules: readonly string[]
}

/** What the filter of system calls says. */
export interface SeccompFact {
  rules: number
  allowedCalls: number
  /** For all other calls: `SCMP_ACT_ERRNO`. */
  defaultAction: string
}
