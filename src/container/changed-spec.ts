/** What `update` changes of a container, as a new spec. Pure. */
import { InvalidArgument, NotFound } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { Ulimit } from "../spec/docker/ulimit.ts"
import type { ContainerChanges, PortChanges } from "./changes.ts"
import type { Resources } from "./container.ts"
import type { HealthOptions } from "./health/health.ts"
import { mergeHealthcheck } from "./health/plan.ts"
import type { ContainerSpec } from "./record.ts"

/** The spec with the changes. Throws InvalidArgument, NotFound for a port that is not published. */
export function changedSpec(spec: ContainerSpec, changes: ContainerChanges): ContainerSpec {
  const { options, run } = spec
  if (changes.restart !== undefined && changes.restart.name !== "no" && options.autoRemove)
    throw new InvalidArgument(
      "restart policy cannot be updated because the container is removed when it ends (AutoRemove)",
      { field: "restart" },
    )
  const env = changedEnv(run.env, changes)
  return {
    ...spec,
    options: {
      ...options,
      resources: changedResources(options.resources, changes.resources),
      restart: changes.restart ?? options.restart,
      ports: changedPorts(options.ports, changes.ports),
      ulimits: changedUlimits(options.ulimits, changes.ulimits),
      ...(changes.networkRate && { networkLimits: { ...options.networkLimits, rate: changes.networkRate } }),
      ...(changes.egress && { egress: changes.egress.allow === null ? undefined : { allow: changes.egress.allow } }),
      ...(changes.health && { health: changedChecks(options.health, changes.health) }),
    },
    run: { ...run, ...changedHealth(run, changes), env, ports: checkedPorts(run.ports, changes.ports) },
  }
}

/** Over what was there; a check that was taken away comes back with a command alone. */
function changedHealth(
  { healthcheck }: ContainerSpec["run"],
  { health }: ContainerChanges,
): Partial<ContainerSpec["run"]> {
  if (health === undefined) return {}
  const changed = mergeHealthcheck(healthcheck, health)
  if (TIMES.some((key) => health[key] !== undefined) && (changed?.Test ?? []).length === 0)
    throw new InvalidArgument("healthcheck command is not set", {
      field: "health.test",
      hint: "times and retries are those of a check: say what shall be run",
    })
  return { healthcheck: changed }
}

/** What means nothing without a check. */
const TIMES = ["intervalMs", "timeoutMs", "startPeriodMs", "startIntervalMs", "retries"] as const

/** Another test takes the place of all that was asked. */
function changedChecks(before: HealthOptions = {}, changes: HealthOptions): HealthOptions {
  const { request: _, readiness: __, ...rest } = before
  if (changes.disabled) return { ...rest, ...changes, startup: undefined }
  return { ...(changes.test === undefined ? before : rest), ...changes }
}

function changedResources(resources: Resources, changes: ContainerChanges["resources"] = {}): Resources {
  const given = { ...changes }
  // one way to say it takes the place of the other
  if (given.cpus) Object.assign(given, { cpuQuotaUs: null, cpuPeriodUs: null })
  else if (given.cpuQuotaUs || given.cpuPeriodUs) given.cpus = null
  // twice the memory, unless it was said otherwise, and then it must be said anew
  const { memorySwapBytes = 0 } = resources
  if (given.memoryBytes === null) given.memorySwapBytes = null
  else if (given.memoryBytes !== undefined && given.memorySwapBytes === undefined && memorySwapBytes !== -1)
    if (memorySwapBytes > 0 && memorySwapBytes < given.memoryBytes)
      throw new InvalidArgument(
        "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
        { field: "resources.memorySwap", hint: { do: "set", field: "resources.memorySwap", value: "BYTES" } },
      )
  return Object.fromEntries(
    Object.entries({ ...resources, ...given }).filter(([, value]) => value !== null && value !== undefined),
  )
}

/** Whether `port` is meant by one that goes. */
export function isMeant(port: PortMapping, { protocol, containerPort, hostPort, hostAddress }: PortMapping): boolean {
  return (
    port.protocol === protocol &&
    port.containerPort === containerPort &&
    // one that has a free number has it only while the container runs
    (hostPort === 0 ||
      port.hostPort === 0 ||
      (hostPort >= port.hostPort && hostPort <= (port.lastHostPort ?? port.hostPort))) &&
    (hostAddress === undefined || port.hostAddress === hostAddress)
  )
}

function changedPorts(
  ports: readonly PortMapping[],
  { publish, unpublish }: PortChanges = { publish: [], unpublish: [] },
): readonly PortMapping[] {
  return [...ports.filter((port) => !unpublish.some((one) => isMeant(port, one))), ...publish]
}

function checkedPorts(ports: readonly PortMapping[], changes?: PortChanges): readonly PortMapping[] {
  const missing = changes?.unpublish.find((one) => !ports.some((port) => isMeant(port, one)))
  if (missing !== undefined)
    throw new NotFound(`port ${missing.containerPort}/${missing.protocol} is not published as that`, {
      field: "ports",
      hint: `published: ${ports.map(portText).join(", ") || "none"}`,
    })
  return changedPorts(ports, changes)
}

function portText({ hostAddress, hostPort, lastHostPort, containerPort, protocol }: PortMapping): string {
  const host = hostPort === 0 ? "" : `${hostPort}${lastHostPort === undefined ? "" : `-${lastHostPort}`}:`
  return `${hostAddress === undefined ? "" : `${hostAddress}:`}${host}${containerPort}/${protocol}`
}

function changedEnv(env: readonly string[], { env: set = [], unsetEnv = [] }: ContainerChanges): readonly string[] {
  if (set.length === 0 && unsetEnv.length === 0) return env
  const entries = new Map(env.map((entry) => [nameOf(entry), entry]))
  for (const entry of set) entries.set(nameOf(entry), entry)
  for (const name of unsetEnv) entries.delete(name)
  return [...entries.values()]
}

const nameOf = (entry: string): string => entry.slice(0, entry.indexOf("="))

function changedUlimits(ulimits: readonly Ulimit[], changes: readonly Ulimit[] = []): readonly Ulimit[] {
  return [...ulimits.filter(({ name }) => !changes.some((change) => change.name === name)), ...changes]
}
