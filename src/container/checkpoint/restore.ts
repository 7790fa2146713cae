import { rmSync } from "node:fs"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import type { ContainerDeps } from "../deps.ts"
import { containerEvent } from "../events.ts"
import { launch, type LaunchOptions } from "../launch.ts"
import { reconciled } from "../reconcile-now.ts"
import { isRunning } from "../observe.ts"
import type { ContainerRecord } from "../record.ts"
import { runtimeOf } from "../time-namespace.ts"
import { hasOwnNetwork, keepRestoreLog, readAddresses } from "./checkpoint.ts"
import type { CheckpointResult, RestoreOptions } from "./checkpoint-request.ts"
import { existingImages, freshDirectory, workDirectory } from "./places.ts"

/** See `ContainerCheckpoints.restore`. */
export async function restoreCheckpoint(
  deps: ContainerDeps,
  nameOrId: string,
  options: RestoreOptions = {},
): Promise<CheckpointResult> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: options.abort })
  const record = await reconciled(deps, id, lock)
  if (isRunning(record, deps))
    throw new FailedPrecondition(`container "${record.name}" is running or paused, cannot restore`, {
      hint: { do: "stop", container: record.name },
      data: { object: "container", name: record.name, id, status: record.status },
    })
  return await restoreRecord(deps, record, options)
}

/** The caller holds the lock. */
export async function restoreRecord(
  deps: ContainerDeps,
  record: ContainerRecord,
  options: RestoreOptions,
): Promise<CheckpointResult> {
  const images = existingImages(deps, record, options.checkpoint)
  const runtimes = await deps.runtimes()
  const checkpoints = await runtimes.checkpoints()
  await checkpoints.require(await runtimeOf(deps, record))
  const work = await freshDirectory(workDirectory(deps, record))
  const bundle = runtimes.bundle(record.id).directory
  const begun = performance.now()
  try {
    const { monitor } = await launch(deps, record, {
      ...(options.abort === undefined ? {} : { abort: options.abort }),
      restore: restoreOf(record, images, options),
    })
    monitor.release()
  } catch (error) {
    if (isSkiffError(error)) throw error.restated(error.message, { data: { log: `${work}/restore.log` } })
    throw error
  }
  const runtimeMicroseconds = Math.round((performance.now() - begun) * 1000)
  keepRestoreLog(bundle, work)
  const stats = checkpoints.stats(work, "restore")
  deps.records.tell(containerEvent(record, "restore"))
  // a named one may be gone back to again
  if (!options.keep && options.checkpoint === undefined) await removeTree(images)
  if (!options.keep) rmSync(work, { recursive: true, force: true })
  return { id: record.id, runtimeMicroseconds, stats }
}

function restoreOf(
  record: ContainerRecord,
  images: string,
  { tcpEstablished = false, fileLocks = false, ignoreStaticIp, ignoreStaticMac }: RestoreOptions,
): NonNullable<LaunchOptions["restore"]> {
  return {
    imageDirectory: images,
    tcpEstablished,
    fileLocks,
    emptyNetwork: hasOwnNetwork(record),
    // a connection has two ends, and the other knows this address
    addresses: tcpEstablished ? readAddresses(images) : [],
    ignoreStaticIp: ignoreStaticIp ?? false,
    ignoreStaticMac: ignoreStaticMac ?? false,
  }
}
