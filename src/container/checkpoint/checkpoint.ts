import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { orCancelled } from "../../base/cancel.ts"
import { AlreadyExists, FailedPrecondition } from "../../base/errors.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { reconciled } from "../reconcile-now.ts"
import { isRunning } from "../observe.ts"
import { reconcile } from "../reconcile.ts"
import type { ContainerRecord } from "../record.ts"
import { runtimeOf } from "../time-namespace.ts"
import { checkpointArchive } from "./archive.ts"
import type { CheckpointOptions, CheckpointResult } from "./checkpoint-request.ts"
import { freshDirectory, imageDirectory, previousDirectory, workDirectory } from "./places.ts"

/** What a restore has to know of the network. */
const ADDRESSES_FILE = "skiff-addresses.json"

/** See `ContainerCheckpoints.create`. */
export async function createCheckpoint(
  deps: ContainerDeps,
  nameOrId: string,
  options: CheckpointOptions = {},
): Promise<CheckpointResult> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: options.abort })
  const record = await reconciled(deps, id, lock)
  if (record.status !== "running" || !isRunning(record, deps))
    throw new FailedPrecondition(`container "${record.name}" is not running, cannot checkpoint`, {
      hint:
        record.status === "paused"
          ? { do: "unpause", container: record.name }
          : { do: "start", container: record.name },
      data: { object: "container", name: record.name, id, status: record.status },
    })
  const { leaveRunning = false, preCheckpoint = false } = options
  const goesOn = leaveRunning || preCheckpoint
  if (record.spec.options.autoRemove && !goesOn && options.export === undefined)
    throw new FailedPrecondition(
      "cannot checkpoint a container that goes with its end, unless the checkpoint is exported",
    )
  const runtimes = await deps.runtimes()
  const [checkpoints, runtime] = await Promise.all([runtimes.checkpoints(), runtimeOf(deps, record)])
  await checkpoints.require(runtime)
  const images = imageDirectory(deps, record, options.checkpoint)
  if (options.checkpoint !== undefined && existsSync(images))
    throw new AlreadyExists(
      `checkpoint with name "${options.checkpoint.name}" already exists for container "${record.name}"`,
    )
  const directory = await freshDirectory(preCheckpoint ? previousDirectory(deps, record) : images)
  const work = await freshDirectory(workDirectory(deps, record))
  const config = readFileSync(runtimes.bundle(id).config, "utf8")
  const begun = performance.now()
  if (!goesOn) expectEnd(deps, record)
  try {
    await checkpoints.dump(runtime, id, {
      imageDirectory: directory,
      workDirectory: work,
      leaveRunning: goesOn,
      preDump: preCheckpoint,
      tcpEstablished: options.tcpEstablished ?? false,
      fileLocks: options.fileLocks ?? false,
      emptyNetwork: hasOwnNetwork(record),
      ...(options.withPrevious ? { parent: "../pre-checkpoint" } : {}),
    })
  } catch (error) {
    if (!goesOn) expectNoEnd(deps, record)
    await removeTree(directory)
    throw error
  }
  const runtimeMicroseconds = Math.round((performance.now() - begun) * 1000)
  const stats = checkpoints.stats(work, "dump")
  writeAddresses(record, directory)
  deps.records.tell(containerEvent(record, "checkpoint"))
  if (options.export !== undefined) {
    const { write, ...what } = options.export
    const archive = checkpointArchive(deps, record, {
      ...what,
      images: directory,
      work,
      config,
      isPrevious: preCheckpoint,
    })
    await write(archive)
    // it is in the archive now
    if (!options.keep) await removeTree(directory)
  }
  if (!goesOn) await ended(deps, record, options.abort)
  if (!options.keep) await removeTree(work)
  const { frozen_time: frozenMicroseconds } = stats
  return { id, runtimeMicroseconds, stats, ...(frozenMicroseconds === undefined ? {} : { frozenMicroseconds }) }
}

/** Whether its network namespace is one that the engine fills; one that holds `lo` alone is CRIU's to write down. */
export function hasOwnNetwork({ state }: ContainerRecord): boolean {
  return state.attachments.length > 0
}

/** No restart policy brings it back. */
function expectEnd(deps: ContainerDeps, record: ContainerRecord): void {
  record.state.stopRequested = true
  deps.records.save(record)
}

function expectNoEnd(deps: ContainerDeps, record: ContainerRecord): void {
  delete record.state.stopRequested
  deps.records.save(record)
}

/** CRIU has killed it: once the monitor has written that down, all is cleaned up. */
async function ended(deps: ContainerDeps, record: ContainerRecord, abort: AbortSignal | undefined): Promise<void> {
  const { id, state } = record
  const runtimes = await deps.runtimes()
  if (state.pid !== undefined && state.monitorPid !== undefined) {
    const monitor = runtimes.findMonitor({
      id,
      bundle: runtimes.bundle(id),
      pid: state.pid,
      monitorPid: state.monitorPid,
    })
    await orCancelled(
      monitor.exited.catch(() => {}),
      abort,
      "waiting for the container's end",
    )
  }
  await reconcile(deps, id)
}

/** Its addresses, on each of its networks. */
export interface CheckpointAddress {
  network: string
  address: string
  macAddress: string
}

function writeAddresses({ state }: ContainerRecord, directory: string): void {
  const addresses = state.attachments.flatMap(({ network, endpoint }): CheckpointAddress[] =>
    endpoint === undefined ? [] : [{ network, address: endpoint.address, macAddress: endpoint.macAddress }],
  )
  writeFileSync(join(directory, ADDRESSES_FILE), JSON.stringify(addresses), { mode: 0o600 })
}

/** Those of a checkpoint; none where nobody wrote them down. */
export function readAddresses(directory: string): CheckpointAddress[] {
  try {
    const value = JSON.parse(readFileSync(join(directory, ADDRESSES_FILE), "utf8")) as unknown
    return Array.isArray(value) ? value.filter(isAddress) : []
  } catch {
    return []
  }
}

function isAddress(value: unknown): value is CheckpointAddress {
  const { network, address, macAddress } = (value ?? {}) as Record<string, unknown>
  return typeof network === "string" && typeof address === "string" && typeof macAddress === "string"
}

/** Copies CRIU's log and figures of a restore out of the run directory, which goes. */
export function keepRestoreLog(bundleDirectory: string, work: string): void {
  for (const name of ["restore.log", "stats-restore"])
    if (existsSync(join(bundleDirectory, name))) {
      rmSync(join(work, name), { force: true })
      copyFileSync(join(bundleDirectory, name), join(work, name))
    }
}
