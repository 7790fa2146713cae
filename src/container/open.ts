import { throwIfAborted } from "../base/cancel.ts"
import type { Abortable, Container, Containers } from "./container.ts"
import { withDependents } from "./dependents.ts"
import { containerFilter } from "./filter.ts"
import { containerEvent } from "./events.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning, toContainer } from "./observe.ts"
import { dutyOf, needsSupervisor } from "./health/duty.ts"
import { findSuspects, needsReconciling, unknownIds } from "./suspects.ts"
import type { ContainerRecord } from "./record.ts"
import { notRunning } from "./wrong-state.ts"

const execs = () => import("./execs.ts")
const fileMounts = () => import("./files/mounts.ts")

/** Who stays for something else can as well sample now and then. */
const UNASKED_SAMPLING_MS = 30_000

/**
 * Containers of one store. Reading costs the rows and a look into /proc; what changes them loads when first asked for.
 * Dispose it: what was found out of line is repaired then, after the command's own work.
 */
export function openContainers(deps: ContainerDeps): Containers & AsyncDisposable {
  const { records } = deps
  const suspects = new Set<string>()
  let looksAround = false
  let hasDuties = false
  let sampledAt = 0

  const observe = (record: ContainerRecord): Container => {
    // one look into /proc serves both: it is most of what a row of a long list costs
    const running = isRunning(record, deps)
    if (needsReconciling(record, deps, running)) suspects.add(record.id)
    hasDuties ||= needsSupervisor(record, deps, running)
    return toContainer(record, deps, running)
  }
  /** A command that changes containers has the time to look at the others too. */
  const changing = <Module>(loading: Promise<Module>): Promise<Module> => {
    looksAround = true
    return loading
  }
  const lifeCycle = () => changing(import("./life-cycle.ts"))
  const stopping = () => changing(import("./stop.ts"))
  const pausing = () => changing(import("./pause.ts"))

  const repair = async (ids: ReadonlySet<string>, abort?: AbortSignal): Promise<void> => {
    if (ids.size > 0) await (await import("./repair.ts")).repair(deps, ids, abort)
  }

  const maintain = async ({ abort }: Abortable = {}): Promise<void> => {
    if (deps.execs.running().length > 0) await (await execs()).reconcileExecs(deps)
    const found = new Set([...suspects, ...findSuspects(deps)])
    suspects.clear()
    await repair(found, abort)
  }

  return {
    list(filter = {}) {
      const fits = containerFilter(filter, records)
      const candidates = records.list().map((record) => ({ record, container: observe(record) }))
      for (const id of unknownIds(deps)) suspects.add(id)
      return candidates.filter(fits).map(({ container }) => container)
    },
    get: (nameOrId) => observe(records.get(nameOrId)),
    create: async (options, onProgress, abortable) => (await lifeCycle()).create(deps, options, onProgress, abortable),
    run: async (options, onProgress, runOptions) => (await lifeCycle()).run(deps, options, onProgress, runOptions),
    start: async (nameOrId, options) => (await lifeCycle()).start(deps, nameOrId, options),
    init: async (nameOrId, abortable) => (await lifeCycle()).init(deps, nameOrId, abortable),
    stop: async (nameOrId, options) => (await stopping()).stop(deps, nameOrId, options),
    kill: async (nameOrId, signal, abortable) => (await stopping()).kill(deps, nameOrId, signal, abortable),
    restart: async (nameOrId, options) => (await lifeCycle()).restart(deps, nameOrId, options),
    update: async (nameOrId, changes, abortable) =>
      (await import("./update.ts")).update(deps, nameOrId, changes, abortable),
    connect: async (nameOrId, request, abortable) =>
      (await changing(import("./connect.ts"))).connect(deps, nameOrId, request, abortable),
    disconnect: async (nameOrId, network, options) =>
      (await changing(import("./disconnect.ts"))).disconnect(deps, nameOrId, network, options),
    pause: async (nameOrId, abortable) => (await pausing()).pause(deps, nameOrId, abortable),
    unpause: async (nameOrId, abortable) => (await pausing()).unpause(deps, nameOrId, abortable),
    whileFrozen: async (ids, body, { abort } = {}) =>
      (await changing(import("./while-frozen.ts"))).whileFrozen(deps, ids, body, abort),
    remove: async (nameOrId, options) => (await lifeCycle()).remove(deps, nameOrId, options),
    withDependents: (namesOrIds) =>
      withDependents(
        namesOrIds.map((name) => records.find(name)?.id ?? name),
        records.list(),
        (name) => records.find(name),
      ),
    rename: async (nameOrId, newName) => (await import("./rename.ts")).rename(deps, nameOrId, newName),
    wait: async (nameOrId, options) => (await import("./wait.ts")).wait(deps, nameOrId, options),
    waitForState: async (nameOrId, states, options) =>
      (await import("./wait-for-state.ts")).waitForState(deps, nameOrId, states, options),
    attach: async (nameOrId, { stdin }) =>
      (await lifeCycle()).attachRunning(deps, records.get(nameOrId), { attach: true, stdin }),
    execs: {
      create: async (nameOrId, request) => (await execs()).createExec(deps, nameOrId, request),
      start: async (id, options) => (await execs()).startExec(deps, id, options),
      run: async (nameOrId, request, options) => (await execs()).runExec(deps, nameOrId, request, options),
      get: async (id) => (await execs()).getExec(deps, id),
      list: async (nameOrId) => (await execs()).listExecs(deps, records.get(nameOrId).id),
      resize: async (id, size) => (await execs()).resizeExec(deps, id, size),
    },
    mountAccess: async (nameOrId) => {
      const record = records.get(nameOrId)
      const { pid } = record.state
      if (pid === undefined || !isRunning(record, deps)) throw notRunning(record)
      return (await import("./ownership/mount-access.ts")).mountAccess(deps, record, `/proc/${pid}/root`)
    },
    health: {
      check: async (nameOrId, { abort } = {}) => (await import("./health/check.ts")).checkOnce(deps, nameOrId, abort),
      monitor: async (id) => (await import("./health/check.ts")).openMonitor(deps, id),
      duties: () => records.listUnreconciled().flatMap((record) => dutyOf(record, deps) ?? []),
      duty(id) {
        const record = records.byId(id)
        return record && dutyOf(record, deps)
      },
      async look() {
        const { tendLogOf } = await import("./log-driver.ts")
        for (const record of records.listUnreconciled()) tendLogOf(deps, record)
        const intervalMs = deps.samplingMs() ?? UNASKED_SAMPLING_MS
        if (Date.now() - sampledAt < intervalMs) return
        sampledAt = Date.now()
        await (await import("./meter-running.ts")).meterRunning(deps)
      },
      restart: async (id) => (await import("./back-off.ts")).restartDue(deps, id),
    },
    checkpoints: {
      create: async (nameOrId, options) =>
        (await import("./checkpoint/checkpoint.ts")).createCheckpoint(deps, nameOrId, options),
      restore: async (nameOrId, options) =>
        (await import("./checkpoint/restore.ts")).restoreCheckpoint(deps, nameOrId, options),
      import: async (archive, options) =>
        (await import("./checkpoint/import.ts")).importCheckpoint(deps, archive, options),
      list: async (nameOrId, directory) =>
        (await import("./checkpoint/places.ts")).namedCheckpoints(deps, records.get(nameOrId).id, directory),
      remove: async (nameOrId, checkpoint) =>
        (await import("./checkpoint/places.ts")).removeNamed(deps, records.get(nameOrId), checkpoint),
    },
    resize(nameOrId, size) {
      const record = records.get(nameOrId)
      const { id } = record
      records.tell(containerEvent(record, "resize", { height: `${size.rows}`, width: `${size.columns}` }))
      // a terminal of the wrong size is no reason to fail
      deps.runtimes().then(
        (runtimes) => runtimes.resize(runtimes.bundle(id), size),
        () => {},
      )
    },
    reopenLog: async (nameOrId) => (await import("./reopen-log.ts")).reopenLog(deps, records.get(nameOrId)),
    async *logs(nameOrId, options) {
      const { readLogs } = await import("./logs.ts")
      yield* readLogs(deps, nameOrId, options)
    },
    async *logText(nameOrId, options) {
      const { readLogText } = await import("./logs.ts")
      yield* readLogText(deps, nameOrId, options)
    },
    async *export(nameOrId, { abort } = {}) {
      const record = records.get(nameOrId)
      const { id } = record
      records.tell(containerEvent(record, "export"))
      const snapshots = await deps.snapshots()
      throwIfAborted(abort, "the export")
      try {
        yield* snapshots.diff(id, { since: "nothing", signal: abort })
      } catch (error) {
        throwIfAborted(abort, "the export")
        throw error
      }
    },
    copy: async (from, to, options) => (await import("./files/copy.ts")).copyFiles(deps, from, to, options),
    async *readArchive(nameOrId, path, options) {
      yield* (await import("./files/archives.ts")).readArchive(deps, nameOrId, path, options)
    },
    writeArchive: async (nameOrId, path, archive, options) =>
      (await import("./files/archives.ts")).writeArchive(deps, nameOrId, path, archive, options),
    fileStats: async (...args) => (await import("./files/look-and-remove.ts")).fileStats(deps, ...args),
    removeFiles: async (...args) => (await import("./files/look-and-remove.ts")).removeFiles(deps, ...args),
    mount: async (nameOrId, abortable) => (await fileMounts()).mountContainer(deps, nameOrId, abortable),
    unmount: async (nameOrId, abortable) => (await fileMounts()).unmountContainer(deps, nameOrId, abortable),
    mountPoint: async (nameOrId) => (await fileMounts()).mountPointOf(deps, nameOrId),
    async *forensics(nameOrId, options) {
      yield* (await import("./forensics/forensics.ts")).forensics(deps, nameOrId, options)
    },
    async *fileChanges(nameOrId, options) {
      yield* (await import("./files/file-changes.ts")).fileChanges(deps, nameOrId, options)
    },
    commit: async (nameOrId, options) => (await import("./commit.ts")).commit(deps, nameOrId, options),
    top: async (nameOrId, psOptions, abortable) => (await import("./top.ts")).top(deps, nameOrId, psOptions, abortable),
    async *stats(options) {
      const { containerStats } = await import("./stats.ts")
      yield* containerStats(deps, options)
    },
    meterRunning: async () => (await import("./meter-running.ts")).meterRunning(deps),
    size: async (nameOrId, abortable) => (await import("./size.ts")).containerSize(deps, nameOrId, abortable),
    async inspect(nameOrId) {
      observe(records.get(nameOrId))
      return (await import("./inspect.ts")).inspect(deps, nameOrId)
    },
    cleanup: async (id, execId) =>
      execId === undefined
        ? (await import("./back-off.ts")).cleanup(deps, id)
        : (await execs()).reconcileExec(deps, execId),
    reconcile: async () => (await import("./repair.ts")).repairAll(deps),

    maintain,

    async [Symbol.asyncDispose]() {
      if (looksAround) await maintain()
      else await repair(suspects)
      // the supervisor may have been killed
      if (hasDuties) deps.supervise()
    },
  }
}
