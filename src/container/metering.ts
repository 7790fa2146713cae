/** What a run of a container has used in all, read when it has ended and before the kernel forgets it (meter/meter.ts). */
import { closeSync, openSync } from "node:fs"
import { log } from "../base/log.ts"
import { isSkiffError } from "../base/errors.ts"
import type { MeteredRun, MeterSample } from "../meter/meter.ts"
import { loginUid } from "../sys/account.ts"
import { MountFlag, mountAt, unmountAll } from "../sys/fs/mount.ts"
import { cgroupDirectories, detectCgroups } from "../sys/process/cgroup.ts"
import { CgroupReader } from "../sys/process/cgroup-reader.ts"
import { isAlive } from "../sys/process/process.ts"
import { childrenUsage } from "../sys/process/children-usage.ts"
import type { ContainerDeps } from "./deps.ts"
import { limitsInput } from "./limits.ts"
import { runDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** Keeps the network namespace, and with it what its interfaces have counted, from the program's end to our reading. */
function pinPath(deps: Pick<ContainerDeps, "runRoot">, id: string): string {
  return `${runDirectory(deps, id)}/netns`
}

/** Before the program runs: what will be read at its end is made to outlive it. Fails for nothing: then less is known of it. */
export function prepareMetering(deps: ContainerDeps, { id, spec, state }: ContainerRecord): void {
  state.startedBy = loginUid()
  // a cgroup of systemd's goes with the last process; where there is none, only the monitor's wait for its children tells
  const isCounted =
    detectCgroups().manager === "cgroupfs" && limitsInput(spec.options.limits).cgroupPlacement?.disabled !== true
  if (!isCounted && state.monitorPid !== undefined) state.usageBefore = childrenUsage(state.monitorPid)
  if (state.attachments.length === 0 || state.pid === undefined) return
  const path = pinPath(deps, id)
  try {
    closeSync(openSync(path, "w", 0o600))
    mountAt(path, { type: "none", source: `/proc/${state.pid}/ns/net`, data: [], flags: MountFlag.bind })
  } catch (error) {
    log.debug(`the network of container ${id} is not kept for the meter`, { reason: String(error) })
  }
}

/** Loads what `meterEnd` will need, while the runtime makes the container. Fails for nothing. */
export function warmUpMetering(deps: ContainerDeps, record: ContainerRecord): void {
  deps.meter().then(
    (meter) => meter.hasEnded(meteredRun(record)),
    () => {}, // the end will say it
  )
}

/** Lets go of the network namespace. Safe to repeat. */
export function unpinNetwork(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  unmountAll(pinPath(deps, id))
}

/**
 * Writes down what the run has used; call it before anything of it is taken back. A run that was never started, or is written down
 * already, costs a look at its record. Never throws: a bill is no reason to leave a container behind.
 */
export async function meterEnd(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const run = meteredRun(record)
  try {
    const { finishedAt } = record.state
    const at = new Date(finishedAt !== undefined && finishedAt >= run.startedAt.getTime() ? finishedAt : Date.now())
    if (record.state.startedAt === undefined) return
    const meter = await deps.meter()
    if (!meter.hasEnded(run)) meter.end(run, { ...(await countedAtEnd(deps, record)), at })
  } catch (error) {
    log.warn(`what container "${record.name}" used in the end is not known`, { reason: String(error) })
  } finally {
    unpinNetwork(deps, record.id)
  }
}

/** The run that the record is of. */
export function meteredRun({ id, name, spec, state }: ContainerRecord): MeteredRun {
  const { image } = spec.options
  const startedAt = new Date(state.startedAt ?? 0)
  return { containerId: id, name, image, labels: spec.run.labels, uid: state.startedBy ?? 0, startedAt }
}

/** Memory is not among it: what is held after the end is no longer held by a program. */
async function countedAtEnd(deps: ContainerDeps, record: ContainerRecord): Promise<Omit<MeterSample, "at">> {
  const { state } = record
  // of a boot that is over, nothing is left but the samples
  if (state.bootId !== deps.bootId) return {}
  const { cpuNs, memoryPeakBytes, blockReadBytes, blockWrittenBytes } = cgroupTotals(record)
  const waited = cpuNs === undefined ? waitedFor(record) : undefined
  return {
    cpuNs: cpuNs ?? waited?.cpuNs,
    memoryPeakBytes,
    readBytes: blockReadBytes ?? waited?.readBytes,
    writtenBytes: blockWrittenBytes ?? waited?.writtenBytes,
    ...(await trafficOf(deps, record)),
  }
}

/** Of its cgroup, while that is there. */
function cgroupTotals({ id, spec }: ContainerRecord): ReturnType<CgroupReader["totals"]> {
  const { disabled = false, parent } = limitsInput(spec.options.limits).cgroupPlacement ?? {}
  const cgroups = detectCgroups()
  if (disabled || cgroups.manager === "disabled") return {}
  using reader = new CgroupReader(cgroupDirectories(id, cgroups, parent))
  return reader.totals()
}

/** What the monitor's children have used since the program began: the program, and all that it waited for. */
function waitedFor({ state }: ContainerRecord): ReturnType<typeof childrenUsage> {
  const { monitorPid, monitorStartTime, usageBefore } = state
  if (monitorPid === undefined || monitorStartTime === undefined || !isAlive(monitorPid, monitorStartTime))
    return undefined
  const now = childrenUsage(monitorPid)
  if (now === undefined || usageBefore === undefined) return now
  return {
    cpuNs: now.cpuNs - usageBefore.cpuNs,
    readBytes: now.readBytes === undefined ? undefined : now.readBytes - (usageBefore.readBytes ?? 0),
    writtenBytes: now.writtenBytes === undefined ? undefined : now.writtenBytes - (usageBefore.writtenBytes ?? 0),
  }
}

/** Of all its networks. A namespace that it shares is counted where it belongs. */
async function trafficOf(
  deps: ContainerDeps,
  { id, state }: ContainerRecord,
): Promise<Pick<MeterSample, "receivedBytes" | "sentBytes">> {
  const { leftTraffic = { receivedBytes: 0, sentBytes: 0 } } = state
  if (state.attachments.length === 0) return state.leftTraffic ?? {}
  const networks = await deps.networks()
  const sum = { ...leftTraffic }
  for (const { network } of state.attachments)
    try {
      const traffic = await networks.traffic(networks.get(network), id)
      sum.receivedBytes += traffic?.receivedBytes ?? 0
      sum.sentBytes += traffic?.sentBytes ?? 0
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error // the network was removed
    }
  return sum
}
