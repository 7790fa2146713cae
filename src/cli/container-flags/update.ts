/** Flags of `update`: what changes, and what a zero means. */
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerChanges, PortChanges, Resources } from "../../container/container.ts"
import { parseEnv } from "../../spec/docker/environment.ts"
import { parsePublish, type PortMapping } from "../../spec/docker/port-mapping.ts"
import { parseRestartPolicy, POLICIES } from "../../spec/docker/restart-policy.ts"
import { parseUlimit } from "../../spec/docker/ulimit.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import { ALLOW_NET_CHANGE_FLAG, egressChange } from "./egress.ts"
import { NET_RATE_FLAG } from "./network-limits.ts"
import { HEALTH_FLAGS, healthChange } from "./health.ts"
import { RESOURCE_FLAGS, refuseTwoTimes, resourcesOf } from "./limits.ts"

/** A further group is spread in here, and its part of `ContainerChanges` made in `updateChanges`. */
export const UPDATE_FLAGS = {
  ...HEALTH_FLAGS,
  ...RESOURCE_FLAGS,
  env: flag.list(
    (text) => parseEnv(text, callerEnvironment()),
    "Set environment variables, from the next start on",
    "list",
    {
      short: "e",
    },
  ),
  allowNet: ALLOW_NET_CHANGE_FLAG,
  netRate: NET_RATE_FLAG,
  publish: flag.list(readPortChange, "Publish (+8081:80) or take back (-8080:80) a port", "list", { short: "p" }),
  restart: flag.of(parseRestartPolicy, "Restart policy to apply when a container exits", "string", {
    completes: POLICIES,
  }),
  ulimit: flag.list(parseUlimit, "Ulimit options, from the next start on", "ulimit"),
  unsetenv: flag.strings("Take environment variables away, from the next start on"),
}

/** What was asked for. Throws UsageError when nothing was, or contradictions. */
export function updateChanges(flags: FlagValues<typeof UPDATE_FLAGS>): ContainerChanges {
  refuseTwoTimes(flags)
  const resources = { ...resourcesOf(flags), ...liftedResources(flags) }
  const egress = egressChange(flags.allowNet)
  const env = flags.env.filter((entry) => entry !== undefined)
  const changes: ContainerChanges = {
    ...(Object.keys(resources).length > 0 && { resources }),
    ...(flags.restart && { restart: flags.restart }),
    ...(flags.publish.length > 0 && { ports: portChanges(flags.publish) }),
    ...(flags.netRate && { networkRate: flags.netRate }),
    ...(egress && { egress }),
    ...(env.length > 0 && { env }),
    ...healthChange(flags),
    ...(flags.unsetenv.length > 0 && { unsetEnv: flags.unsetenv }),
    ...(flags.ulimit.length > 0 && { ulimits: flags.ulimit }),
  }
  if (Object.keys(changes).length === 0)
    throw new UsageError("you must provide one or more flags when using this command")
  return changes
}

/** A zero lifts a limit, as it is none when a container is made. */
function liftedResources(flags: FlagValues<typeof UPDATE_FLAGS>): ContainerChanges["resources"] {
  const zero: readonly [value: number | undefined, name: keyof Resources][] = [
    [flags.memory, "memoryBytes"],
    [flags.memorySwap, "memorySwapBytes"],
    [flags.memoryReservation, "memoryReservationBytes"],
    [flags.cpus, "cpus"],
    [flags.cpuShares, "cpuShares"],
    [flags.cpuPeriod, "cpuPeriodUs"],
    [flags.cpuQuota, "cpuQuotaUs"],
    [flags.cpuRtPeriod, "cpuRtPeriodUs"],
    [flags.cpuRtRuntime, "cpuRtRuntimeUs"],
    [flags.blkioWeight, "blkioWeight"],
  ]
  const lifted = zero.filter(([value]) => value === 0).map(([, name]) => [name, null])
  if (flags.memorySwappiness === -1) lifted.push(["memorySwappiness", null])
  return Object.fromEntries(lifted)
}

interface PortChange {
  isPublished: boolean
  ports: readonly PortMapping[]
}

function readPortChange(text: string): PortChange {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? []
  try {
    return { isPublished: sign !== "-", ports: parsePublish(rest) }
  } catch (error) {
    if (error instanceof InvalidArgument)
      throw error.restated(error.message, {
        hint: "expected +HOSTPORT:CONTAINERPORT to publish, -HOSTPORT:CONTAINERPORT or -CONTAINERPORT to take back",
      })
    throw error
  }
}

function portChanges(changes: readonly PortChange[]): PortChanges {
  return {
    publish: changes.flatMap(({ isPublished, ports }) => (isPublished ? ports : [])),
    unpublish: changes.flatMap(({ isPublished, ports }) => (isPublished ? [] : ports)),
  }
}
