import { mkdirSync, rmSync } from "node:fs"
import { throwIfAborted } from "../base/cancel.ts"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { trace } from "../base/trace.ts"
import { takeTurns, turn } from "../base/turn.ts"
import type { PortReservation } from "../network/network.ts"
import type { Attachment, BundlePaths, Monitor, PendingMonitor, Runtime, Runtimes } from "../runtime/runtime.ts"
import type { OciConfig } from "../spec/oci-runtime.ts"
import { mountAt, mountPointsOf, unmountAll } from "../sys/fs/mount.ts"
import { namespaceLink } from "../sys/process/namespace-file.ts"
import { processStartTime, type Pid } from "../sys/process/process.ts"
import { detached, joinNetworks, reservePorts } from "./attachments.ts"
import { filesDirectory } from "./container-files.ts"
import type { RestoreCreate } from "./checkpoint/restore-create.ts"
import type { RestoreLaunch } from "./checkpoint/restore-networks.ts"
import type { Abortable } from "./container.ts"
import { createInRuntime } from "./create-in-runtime.ts"
import type { ContainerDeps } from "./deps.ts"
import type { Ending } from "./ended/ending.ts"
import { connectionEvents, containerEvent } from "./events.ts"
import { isSeenTo } from "./health/duty.ts"
import type { OnLaunchStep } from "./launch-step.ts"
import { monitorLog } from "./log-driver.ts"
import { prepareMetering } from "./metering.ts"
import { sharesPids } from "./namespaces.ts"
import { exitFile, stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { destroy } from "./remove.ts"
import { rootMount } from "./root-mount.ts"
import { teardown } from "./teardown.ts"
import { openTimeNamespace, runtimeOf } from "./time-namespace.ts"

/** A container that has just started. */
export interface Launched {
  record: ContainerRecord
  monitor: Monitor
  attachment?: Attachment
  hasOurStreams?: true
}

/** How it is started. */
export interface LaunchOptions extends Abortable {
  /** Connect to the program's streams before it runs. */
  attach?: boolean
  /** Made for this start alone: gone again when the start is refused. One whose program cannot be run stays, as docker's. */
  isNew?: boolean
  /** Open descriptors of this process that the program gets, too. */
  preservedFds?: readonly number[]
  /** Its processes are made again from a checkpoint, in place of a start. */
  restore?: RestoreLaunch
  /** Everything but the program, which waits for `startHeld`. */
  hold?: boolean
  /** What must run before it: done first, and a failure of it is one of this start. */
  startRequired?(): Promise<void>
  /** Hears of each step that was done. */
  onStep?: OnLaunchStep
}

/**
 * Starts a container that does not run (ARCHITECTURE.md, "One `skiff run`"). The caller holds its lock. When any step fails, all that
 * was made is taken back: the record is as it was but for the error, or gone where it was made for this start alone.
 */
export async function launch(
  deps: ContainerDeps,
  record: ContainerRecord,
  options: LaunchOptions = {},
): Promise<Launched> {
  // a `run` was written down as starting by its create
  const before = record.status === "starting" ? "created" : record.status
  if (record.status !== "starting") {
    await deps.records.whenFree(options.abort)
    mark(deps, record)
  }
  crashPoint("start:marked")
  try {
    return await launchMarked(deps, record, options)
  } catch (thrown) {
    const { explained } = await import("./ended/why-ended.ts")
    const error = await explained(deps, record, thrown)
    await undo(deps, record, { before, error, isNew: options.isNew ?? false })
    throw error
  }
}

/** Written before the first thing is made, so that whoever finds this process dead knows what to look for. */
function mark(deps: ContainerDeps, record: ContainerRecord): void {
  const { restartCount, restartDelayMs, volumesFilled, mountsGiven, idRange, startedAt, finishedAt, exitCode } =
    record.state
  const attachments = detached(record.state.attachments)
  const kept = {
    restartCount,
    restartDelayMs,
    volumesFilled,
    mountsGiven,
    idRange,
    startedAt,
    finishedAt,
    exitCode,
    attachments,
  }
  record.status = "starting"
  record.live = true
  record.state = { ...kept, bootId: deps.bootId }
  deps.records.save(record)
}

async function launchMarked(deps: ContainerDeps, record: ContainerRecord, options: LaunchOptions): Promise<Launched> {
  const { id, state } = record
  await options.startRequired?.()
  using _ = takeTurns()
  const runtimes = await deps.runtimes()
  const bundle = runtimes.bundle(id)
  await turn()
  makeDirectories(deps, record, bundle)
  await openTimeNamespace(deps, record)
  const runtime = await runtimeOf(deps, record)
  using reservation = await reservePorts(deps, record, options)
  using pending = await startMonitor(deps, record, { runtimes, runtime, options, held: reservation?.sockets })
  await turn()
  await mountRoot(deps, record, bundle, options)
  const { monitor, targets, config } = await createInRuntime(deps, record, {
    runtimes,
    runtime,
    bundle,
    pending,
    abort: options.abort,
    restore: options.restore && (await restoring(deps, record, { ...options, restore: options.restore, reservation })),
  })
  // while this process lives it is told of the end; a failure below ends the container
  try {
    state.pid = monitor.pid
    state.pidStartTime = processStartTime(monitor.pid)
    if (sharesPids(record)) state.mountNamespace = namespaceLink(monitor.pid, "mnt")
    state.monitorPid = monitor.monitorPid
    state.monitorStartTime = processStartTime(monitor.monitorPid)
    state.awaited = options.attach
    const pidFile = record.spec.options.process?.pidFile
    if (pidFile !== undefined) (await import("./identity/enter.ts")).writePidFile(pidFile, monitor.pid)
    await turn()
    checkMounted(monitor, targets)
    const about = { bundle: bundle.directory, pid: monitor.pid }
    await options.onStep?.({ kind: "files", ...about, directory: filesDirectory(deps, id) })
    await options.onStep?.({ kind: "created", ...about, runtime: runtime.name, config })
    if (!options.restore) await joinNetworks(deps, record, { reservation, abort: options.abort })
    const { attachments } = state
    await options.onStep?.({ kind: "network", ...about, id, attachments, filesDirectory: filesDirectory(deps, id) })
    prepareMetering(deps, record)
    crashPoint("start:network-set-up")
    await deps.records.whenFree(options.abort)
    // with its pid written down, a start that is killed from here on is taken over or undone, whichever it came to
    deps.records.save(record, connectionEvents(record, "joined"))
    if (options.hold) {
      record.status = "initialized"
      deps.records.save(record, [containerEvent(record, "init")])
      return { record, monitor }
    }
    return await startProgram(deps, record, { runtimes, runtime, monitor, options, about: { ...about, config } })
  } catch (error) {
    monitor.release()
    throw error
  }
}

interface StartProgram {
  runtimes: Runtimes
  runtime: Runtime
  monitor: Monitor
  options: LaunchOptions
  about: { bundle: string; pid: Pid; config: OciConfig }
}

/** The last step: all else is there, and the program waits. */
async function startProgram(
  deps: ContainerDeps,
  record: ContainerRecord,
  { runtimes, runtime, monitor, options, about }: StartProgram,
): Promise<Launched> {
  const { id, spec, state } = record
  const hasOurStreams = options.attach === true && spec.options.log.driver === "passthrough"
  const attachment =
    options.attach && !hasOurStreams
      ? await runtimes.attach(runtimes.bundle(id), { stdin: spec.options.stdin })
      : undefined
  trace("attached")
  crashPoint("start:before-program")
  await turn()
  // the last moment at which all of it can be taken back
  throwIfAborted(options.abort, `the start of container "${record.name}"`)
  await options.onStep?.({ kind: "ready", ...about })
  state.startedAt = Date.now()
  if (!options.restore) await (state.hasHooks ? await runtimeOf(deps, record) : runtime).start(id)
  trace("program started")
  crashPoint("start:program-started")
  await deps.records.whenFree()
  record.status = "running"
  const attached = attachment === undefined ? [] : [containerEvent(record, "attach")]
  deps.records.save(record, [...attached, containerEvent(record, "start")])
  crashPoint("start:recorded")
  if (isSeenTo(spec, deps)) deps.supervise()
  return {
    record,
    monitor,
    ...(attachment === undefined ? {} : { attachment }),
    ...(hasOurStreams && { hasOurStreams }),
  }
}

/** What a restore does in the place of `joinNetworks`. */
async function restoring(
  deps: ContainerDeps,
  record: ContainerRecord,
  given: Abortable & { restore: RestoreLaunch; reservation: PortReservation | undefined },
): Promise<Pick<RestoreCreate, "joinNetworks">> {
  const { joinForRestore } = await import("./checkpoint/restore-networks.ts")
  return { joinNetworks: (pid) => joinForRestore(deps, record, { ...given, pid }) }
}

/** Lets the program of an initialized container go on. The caller holds its lock; a failure undoes all that `init` made. */
export async function startHeld(
  deps: ContainerDeps,
  record: ContainerRecord,
  { attach = false }: Pick<LaunchOptions, "attach">,
): Promise<Launched> {
  const { id, spec, state } = record
  const { pid, monitorPid } = state
  if (pid === undefined || monitorPid === undefined)
    throw new FailedPrecondition(`container "${record.name}" is not initialized`)
  const [runtimes, runtime] = await Promise.all([deps.runtimes(), runtimeOf(deps, record)])
  const bundle = runtimes.bundle(id)
  const monitor = runtimes.findMonitor({ id, bundle, pid, monitorPid })
  try {
    const attachment = attach ? await runtimes.attach(bundle, { stdin: spec.options.stdin }) : undefined
    // killed from here on, it is taken over or undone, whichever it came to
    record.status = "starting"
    state.awaited = attach
    deps.records.save(record)
    crashPoint("start:before-program")
    state.startedAt = Date.now()
    await runtime.start(id)
    record.status = "running"
    deps.records.save(record, [containerEvent(record, "start")])
    if (isSeenTo(spec, deps)) deps.supervise()
    return { record, monitor, ...(attachment === undefined ? {} : { attachment }) }
  } catch (error) {
    monitor.release()
    await undo(deps, record, { before: "created", error, isNew: false })
    throw error
  }
}

function makeDirectories(deps: ContainerDeps, { id, spec }: ContainerRecord, bundle: BundlePaths): void {
  const logDirectory = spec.logPath === undefined ? [] : [stateDirectory(deps, id)]
  for (const directory of [bundle.directory, bundle.rootfs, bundle.exitDirectory, ...logDirectory])
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  // of an earlier run
  for (const file of [exitFile(deps, id), bundle.config]) rmSync(file, { force: true })
}

/** How long the monitor leaves the clean-up to a foreground, before it does it. */
const FOREGROUND_CLEANUP_SECONDS = 2

/** The monitor loads while we make what it needs. */
async function startMonitor(
  deps: ContainerDeps,
  { id, name, spec }: ContainerRecord,
  given: { runtimes: Runtimes; runtime: Runtime; options: LaunchOptions; held?: readonly number[] },
): Promise<PendingMonitor> {
  const { runtimes, runtime, held } = given
  const { tty, stdin, keepStdin, restart, runTimeoutSeconds } = spec.options
  // a restart is the exit command's work, and waits for nobody
  const isOurs = given.options.attach === true && restart.name === "no"
  const pending = await runtimes.startMonitor({
    id,
    name,
    bundle: runtimes.bundle(id),
    runtime,
    restore: given.options.restore,
    log: monitorLog(spec),
    tty,
    stdin,
    keepStdin,
    exitCommand: deps.cleanupCommand(id),
    ...(runTimeoutSeconds === undefined ? {} : { runTimeoutSeconds }),
    ...(isOurs ? { exitDelaySeconds: FOREGROUND_CLEANUP_SECONDS } : {}),
    held,
    preservedFds: given.options.preservedFds,
  })
  crashPoint("start:monitor-started")
  return pending
}

async function mountRoot(
  deps: ContainerDeps,
  record: ContainerRecord,
  bundle: BundlePaths,
  { onStep }: LaunchOptions,
): Promise<void> {
  const mount = await rootMount(deps, record)
  // who looked at the files of the container that stood, and was killed, may have left his mount
  unmountAll(bundle.rootfs)
  mountAt(bundle.rootfs, mount)
  await onStep?.({ kind: "root", bundle: bundle.directory, target: bundle.rootfs, mount })
  crashPoint("start:mounted")
  trace("root mounted")
}

/**
 * The last look before the program runs: whoever shares a volume may have put a link where the runtime's config was made from
 * a directory, and crun follows it. Throws FailedPrecondition.
 */
function checkMounted({ pid }: Monitor, targets: readonly string[]): void {
  if (targets.length === 0) return
  const mounted = mountPointsOf(pid)
  const missing = targets.find((target) => !mounted.has(target))
  if (missing !== undefined)
    throw new FailedPrecondition(`the mount at "${missing}" is missing: its path changed while the container started`, {
      hint: "check what else writes to the volumes of this container, then start it again",
    })
}

/** The error is kept for `inspect`; an undo that fails leaves the rest to the next command, which finds `live`. */
async function undo(
  deps: ContainerDeps,
  record: ContainerRecord,
  { before, error, isNew }: { before: ContainerRecord["status"]; error: unknown; isNew: boolean },
): Promise<void> {
  const programExit = isSkiffError(error) ? error.data.programExit : undefined
  try {
    if (record.spec.options.autoRemove) return await destroy(deps, record)
    if (isNew && programExit === undefined) return await destroy(deps, record, { volumes: true })
    await teardown(deps, record)
    record.live = false
    record.status = before === "created" ? "created" : "exited"
    record.state.error = error instanceof Error ? error.message : String(error)
    record.state.exitCode = programExit ?? 128
    record.state.ending = (isSkiffError(error) && (error.data.ending as Ending | undefined)) || {
      by: "engine",
      exitCode: programExit ?? 125,
      message: record.state.error,
    }
    if (before !== "created") record.state.finishedAt = Date.now()
    const left = connectionEvents(record, "left")
    record.state.attachments = detached(record.state.attachments)
    deps.records.save(record, left)
  } catch (failure) {
    log.warn(`clean-up after the failed start of container "${record.name}" failed`, { reason: String(failure) })
  }
}
