import { existsSync, rmSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { trace } from "../base/trace.ts"
import { takeTurns, turn } from "../base/turn.ts"
import type { Abortable } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { connectionEvents, containerEvent, dieEvents } from "./events.ts"
import { releaseLog } from "./log-driver.ts"
import { removeMount } from "./files/remove-mount.ts"
import { removeHealth } from "./health/log-file.ts"
import { runDirectory, stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { releaseAddresses } from "./release-addresses.ts"
import { leaveSandbox } from "./sandbox.ts"
import { removeRunDirectory, teardown, unmountRunDirectory } from "./teardown.ts"

/**
 * Removes a container with all it has: what runs of it, its writable layer, log, row and lock, and with `volumes` its
 * anonymous volumes (`--rm` always does). The caller holds its lock and has decided. Safe to repeat: the mark is written
 * first, and whoever finds it later goes on. Always gives undefined: nothing is left.
 */
export async function destroy(
  deps: ContainerDeps,
  record: ContainerRecord,
  options: Abortable & { volumes?: boolean } = {},
): Promise<undefined> {
  const { id, spec, state } = record
  if (options.volumes) state.removeVolumes = true
  const marked = { ...record, status: "removing" as const, live: true }
  const wasRunning = record.status === "running" || record.status === "paused"
  // killed here, and not by a signal that somebody saw it end by
  const died = wasRunning ? dieEvents({ ...record, state: { ...state, exitCode: 137, finishedAt: Date.now() } }) : []
  await deps.records.whenFree(options.abort)
  if (record.status !== "removing" || options.volumes) deps.records.save(marked, died)
  crashPoint("remove:marked")
  if (record.live) await teardown(deps, record)
  else removeLeftMount(deps, id)
  removeMount(deps, id)
  trace("torn down")
  using _ = takeTurns()
  await turn()
  await (await deps.snapshots()).remove(id, options.abort)
  crashPoint("remove:snapshot-removed")
  if (state.removeVolumes || spec.options.autoRemove) await removeAnonymousVolumes(deps, record, options)
  await releaseAddresses(deps, record)
  releaseLog(record)
  rmSync(stateDirectory(deps, id), { recursive: true, force: true })
  removeHealth(deps, record)
  crashPoint("remove:files-removed")
  await deps.records.whenFree()
  const left = record.live ? connectionEvents(record, "left") : []
  deps.records.delete(id, [...left, containerEvent(record, "destroy")])
  crashPoint("remove:row-deleted")
  if (record.live) await leaveSandbox(deps, record)
  trace("removed")
  if (spec.options.removeImage) await removeUnusedImage(deps, record)
  return undefined
}

/** By the name that it was made from, as a person would: other names keep the image. */
async function removeUnusedImage(
  { images, records }: ContainerDeps,
  { imageId, spec }: ContainerRecord,
): Promise<void> {
  if (records.usersOfImage(imageId).length > 0) return
  try {
    await (await images()).remove(spec.imageName)
  } catch (error) {
    if (!isSkiffError(error, "NotFound") && !isSkiffError(error, "FailedPrecondition")) throw error
    log.debug("the image stays", { image: spec.imageName, reason: error.message })
  }
}

/** Of who looked at the files of a container that did not run, and was killed. */
function removeLeftMount(deps: ContainerDeps, id: string): void {
  if (!existsSync(runDirectory(deps, id))) return
  unmountRunDirectory(deps, id)
  removeRunDirectory(deps, id)
}

/** Those that another container was given meanwhile stay. */
async function removeAnonymousVolumes(
  deps: ContainerDeps,
  { id, spec }: ContainerRecord,
  { abort }: Abortable,
): Promise<void> {
  const names = spec.mounts.flatMap((mount) => (mount.anonymous && mount.name !== undefined ? [mount.name] : []))
  if (names.length === 0) return
  const volumes = await deps.volumes()
  for (const name of names)
    if (deps.records.usersOfVolume(name).every((user) => user.id === id))
      await volumes.remove(name, { exceptFor: id, signal: abort })
  crashPoint("remove:volumes-removed")
}
