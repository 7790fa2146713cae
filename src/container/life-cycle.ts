/** Changes of a container's life: each takes its lock, reads the record anew, acts, and lets go. */
import { rmSync } from "node:fs"
import { heeding } from "../base/cancel.ts"
import { FailedPrecondition, isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { OnProgress } from "../base/progress.ts"
import { trace } from "../base/trace.ts"
import type { Monitor } from "../runtime/runtime.ts"
import type { HeldLock } from "../sys/fs/file-locks.ts"
import type { Abortable, Container, ContainerOptions, RunOptions, StartedContainer, Ending } from "./container.ts"
import { createContainer } from "./create.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { launch, startHeld, type Launched, type LaunchOptions } from "./launch.ts"
import { isRunning, toContainer, UNKNOWN_EXIT_CODE } from "./observe.ts"
import { exitFile } from "./paths.ts"
import { reconcileNow, reconciled } from "./reconcile-now.ts"
import { reconcile } from "./reconcile.ts"
import type { ContainerRecord } from "./record.ts"
import { destroy } from "./remove.ts"
import { notRunning, wrongState } from "./wrong-state.ts"

/** See `Containers.create`. */
export async function create(
  deps: ContainerDeps,
  options: ContainerOptions,
  onProgress?: OnProgress,
  { abort }: Abortable = {},
): Promise<Container> {
  const { record, lock, warnings } = await createContainer(deps, options, { willStart: false, onProgress, abort })
  lock[Symbol.dispose]()
  return { ...toContainer(record, deps), warnings }
}

/** Create and start under one lock: nobody sees the container in between. */
export async function run(
  deps: ContainerDeps,
  options: ContainerOptions,
  onProgress?: OnProgress,
  { attach = false, onCreated, onStep, preservedFds, abort }: RunOptions = {},
): Promise<StartedContainer> {
  const { record, lock, warnings } = await createContainer(deps, options, { willStart: true, onProgress, abort })
  using _ = lock
  try {
    onCreated?.({ ...toContainer(record, deps), warnings })
  } catch (error) {
    await destroy(deps, record, { volumes: true })
    lock.unlink()
    throw error
  }
  return started(deps, await launchOrUnlink(deps, record, lock, { attach, isNew: true, onStep, preservedFds, abort }))
}

/** See `Containers.start`. */
export async function start(
  deps: ContainerDeps,
  nameOrId: string,
  options: Abortable & { attach?: boolean } = {},
): Promise<StartedContainer> {
  const before = deps.records.get(nameOrId)
  const wasRunning = isRunning(before, deps)
  const made = await startUnderLock(deps, before.id, options)
  // most have none
  if (before.spec.options.lifecycle?.postStart !== undefined && !wasRunning)
    await (await import("./after-start.ts")).afterStart(deps, before)
  return made
}

async function startUnderLock(
  deps: ContainerDeps,
  id: string,
  { attach = false, abort }: Abortable & { attach?: boolean } = {},
): Promise<StartedContainer> {
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (record.status === "paused")
    throw new FailedPrecondition(`container "${record.name}" is paused`, {
      hint: { do: "unpause", container: record.name },
    })
  if (isRunning(record, deps)) return attachRunning(deps, record, { attach, stdin: record.spec.options.stdin })
  if (record.status === "initialized") return started(deps, await startHeld(deps, record, { attach }))
  // a start by hand begins the counting anew
  record.state.restartCount = 0
  delete record.state.restartDelayMs
  return started(deps, await launchOrUnlink(deps, record, lock, { attach, abort }))
}

/** See `Containers.init`. */
export async function init(deps: ContainerDeps, nameOrId: string, { abort }: Abortable = {}): Promise<Container> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  if (isRunning(record, deps) || record.status === "initialized")
    throw wrongState(record, `container "${record.name}" is ${record.status} already`, {
      do: "state",
      container: record.name,
    })
  const { monitor } = await launchOrUnlink(deps, record, lock, { hold: true, abort })
  monitor.release()
  return toContainer(deps.records.byId(id) ?? record, deps)
}

/** Joins a container that runs already. */
export async function attachRunning(
  deps: ContainerDeps,
  record: ContainerRecord,
  { attach, stdin }: { attach: boolean; stdin: boolean },
): Promise<StartedContainer> {
  const { pid, monitorPid } = record.state
  if (pid === undefined || monitorPid === undefined || !isRunning(record, deps)) throw notRunning(record)
  const runtimes = await deps.runtimes()
  const bundle = runtimes.bundle(record.id)
  const monitor = runtimes.findMonitor({ id: record.id, bundle, pid, monitorPid })
  const attachment = attach ? await runtimes.attach(bundle, { stdin }) : undefined
  if (attachment !== undefined) deps.records.tell(containerEvent(record, "attach"))
  return started(deps, { record, monitor, attachment })
}

/** See `Containers.restart`. */
export async function restart(
  deps: ContainerDeps,
  nameOrId: string,
  options: Abortable & { timeoutSeconds?: number; signal?: string } = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  await (await import("./stop.ts")).stop(deps, id, options)
  const again = await start(deps, id, { abort: options.abort })
  again.release()
  deps.records.tell(containerEvent(deps.records.get(id), "restart"))
}

/** See `Containers.remove`. */
export async function remove(
  deps: ContainerDeps,
  nameOrId: string,
  { force = false, volumes = false, abort }: Abortable & { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconcile(deps, id)
  if (record) {
    const isActive = isRunning(record, deps) || record.status === "restarting"
    if (isActive && !force)
      throw wrongState(
        record,
        `cannot remove container "${record.name}": container is ${record.status}: stop the container before removing or force remove`,
        [
          { do: "stop", container: record.name },
          { do: "removeForced", container: record.name },
        ],
      )
    await heeding(abort, `the removal of container "${record.name}"`, () => destroy(deps, record, { volumes, abort }))
  }
  lock.unlink()
}

/** As `launch`; of a container that is gone with the refused start the lock file goes, too. */
export async function launchOrUnlink(
  deps: ContainerDeps,
  record: ContainerRecord,
  lock: HeldLock,
  options: LaunchOptions = {},
): Promise<Launched> {
  const { requires = [] } = record.spec.options
  const startRequired = () => startAll(deps, requires, options.abort)
  try {
    return await launch(deps, record, requires.length === 0 ? options : { ...options, startRequired })
  } catch (error) {
    if (!deps.records.byId(record.id)) lock.unlink()
    throw error
  }
}

/** One after another, those that do not run. No circle: what a container requires was there before it. */
async function startAll(deps: ContainerDeps, ids: readonly string[], abort: AbortSignal | undefined): Promise<void> {
  for (const id of ids) {
    const record = deps.records.byId(id)
    if (record !== undefined && isRunning(record, deps)) continue
    const { release } = await start(deps, id, { abort })
    release()
  }
}

function started(deps: ContainerDeps, { record, monitor, attachment, hasOurStreams }: Launched): StartedContainer {
  let exited: Promise<number> | undefined
  let ending: Ending | undefined
  return {
    container: toContainer(record, deps),
    ...(attachment === undefined ? {} : { attachment }),
    ...(hasOurStreams && { hasOurStreams }),
    // asked for late: who detaches must not clean up
    get exited() {
      return (exited ??= exitedAndReconciled(deps, record, monitor, (found) => (ending = found)))
    },
    get ending() {
      return ending
    },
    release() {
      if (attachment !== undefined) deps.records.tell(containerEvent(record, "detach"))
      monitor.release()
    },
  }
}

/** The clean-up of a foreground. What it cannot do, the monitor's exit command or the next command does. */
async function exitedAndReconciled(
  deps: ContainerDeps,
  before: ContainerRecord,
  monitor: Monitor,
  onEnding: (ending: Ending | undefined) => void,
): Promise<number> {
  const { id, name } = before
  let code: number | undefined
  try {
    code = await monitor.exited
    trace("program ended")
    // now: with `--rm` nothing of it is left to look at
    if (code !== 0 && before.spec.mounts.length > 0)
      onEnding(await (await import("./ended/why-ended.ts")).endedAtMount(deps, before, code))
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
  try {
    const record = await reconcileNow(deps, id)
    code ??= record?.state.exitCode
  } catch (error) {
    log.warn(`clean-up of container "${name}" failed; the next command will retry`, { reason: String(error) })
  }
  if (!deps.records.byId(id)) rmSync(exitFile(deps, id), { force: true })
  return code ?? UNKNOWN_EXIT_CODE
}
