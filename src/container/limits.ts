/** What becomes of a container's limits. */
import { InvalidArgument, Unsupported } from "../base/errors.ts"
import type { ConfigInput, Runtimes } from "../runtime/runtime.ts"
import type { ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import type { LimitOptions } from "./limit-options.ts"
import type { ContainerRecord } from "./record.ts"

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

/** The weights are given when the cgroup is there: `weighBlockIo`. */
export const NO_WEIGHTS = { blkioWeight: undefined, blkioWeightDevices: undefined }

/** Of a container that has just been created. */
export async function weighBlockIo(
  runtimes: Runtimes,
  { id, spec }: Pick<ContainerRecord, "id" | "spec">,
): Promise<void> {
  const { resources, limits } = spec.options
  if (!resources.blkioWeight && resources.blkioWeightDevices === undefined) return
  await runtimes.weighBlockIo(id, resources, limitsInput(limits).cgroupPlacement)
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

/** Only an interface of its own has bounds. Throws InvalidArgument. */
export function checkNetworkLimits({ networkLimits, egress, network, sandbox }: ResolvedOptions): void {
  if (network.kind === "bridge" && sandbox === undefined) return
  if (networkLimits === undefined && egress === undefined) return
  throw new InvalidArgument("the network can be limited only where the container has an interface of its own", {
    field:
      networkLimits === undefined
        ? "egress.allow"
        : networkLimits.rate === undefined
          ? "networkLimits.refuse"
          : "networkLimits.rate",
    hint:
      sandbox === undefined ? "leave the network at its default, or name one" : "its pod may be limited, as a whole",
  })
}

/** Before anything is made: what this host cannot hold is refused at create, as docker does. Throws InvalidArgument, FailedPrecondition. */
export async function checkResources(
  deps: Pick<ContainerDeps, "runtimes">,
  { resources, limits }: ResolvedOptions,
): Promise<void> {
  const { cgroupPlacement } = limitsInput(limits)
  if (Object.keys(resources).length === 0 && cgroupPlacement === undefined) return
  await (await deps.runtimes()).checkLimits(resources, cgroupPlacement)
}
