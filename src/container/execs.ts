import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { throwIfAborted } from "../base/cancel.ts"
import { FailedPrecondition, hasErrno, InvalidArgument, isSkiffError } from "../base/errors.ts"
import { trace } from "../base/trace.ts"
import type { BundlePaths, Exec as RunningExec, Runtimes } from "../runtime/runtime.ts"
import type { OciConfig, OciProcess } from "../spec/oci-runtime.ts"
import { removeSharedDirectory } from "../sys/fs/remove-shared-directory.ts"
import { resolveUser } from "../sys/fs/image-users.ts"
import { wakeCgroupLock } from "../sys/process/cgroup-lock.ts"
import { isAlive, processStartTime } from "../sys/process/process.ts"
import type { Exec, ExecId, ExecRequest, ExecSession, ExecStart } from "./container.ts"
import { runtimeOf } from "./time-namespace.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import type { ExecRecord, ExecState } from "./exec-records.ts"
import { newContainerId } from "./id.ts"
import { isRunning, UNKNOWN_EXIT_CODE } from "./observe.ts"
import { execDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import { notRunning, wrongState } from "./wrong-state.ts"

/** See `Execs.create`. */
export async function createExec(deps: ContainerDeps, nameOrId: string, request: ExecRequest): Promise<Exec> {
  const container = runningContainer(deps, nameOrId)
  const record = newRecord(container, request, { status: "created" })
  deps.execs.insert(record, execEvent(container, record, "exec_create"))
  return toExec(deps, record)
}

/** See `Execs.start`. */
export async function startExec(deps: ContainerDeps, id: string, options: ExecStart = {}): Promise<ExecSession> {
  const record = deps.execs.get(id)
  const container = runningContainer(deps, record.containerId)
  throwIfAborted(options.abort, `the exec in container "${container.name}"`)
  const claimed = { ...record, state: { status: "running", bootId: deps.bootId } satisfies ExecState }
  // claimed before it is started: of two that start it, one does
  if (!deps.execs.markStarted(record.id, claimed.state, execEvent(container, record, "exec_start")))
    throw new FailedPrecondition(`exec instance "${record.id}" was started already`)
  try {
    const running = await spawnExec(deps, container, claimed, options)
    const started = { ...record, state: runningState(deps, running) }
    deps.execs.setPid(record.id, started.state)
    return await session(deps, started, running)
  } catch (error) {
    markEnded(deps, claimed, (isSkiffError(error) ? error.data.programExit : undefined) ?? UNKNOWN_EXIT_CODE)
    throw error
  }
}

/** See `Execs.run`. With somebody in the foreground the record is written when the program runs, all at once. */
export async function runExec(
  deps: ContainerDeps,
  nameOrId: string,
  request: ExecRequest,
  options: ExecStart = {},
): Promise<ExecSession> {
  // the exit command of a detached one may come at once: it must find a record
  if (options.detach) return startExec(deps, (await createExec(deps, nameOrId, request)).id, options)
  const container = runningContainer(deps, nameOrId)
  throwIfAborted(options.abort, `the exec in container "${container.name}"`)
  const record = newRecord(container, request, { status: "created" })
  const running = await spawnExec(deps, container, record, options)
  const started = { ...record, state: runningState(deps, running) }
  if (!options.unrecorded) {
    deps.execs.insert(started, execEvent(container, record, "exec_create"), execEvent(container, record, "exec_start"))
    trace("exec recorded")
  }
  return session(deps, started, running)
}

/** See `Execs.resize`. */
export async function resizeExec(
  deps: ContainerDeps,
  id: string,
  size: { rows: number; columns: number },
): Promise<void> {
  const record = deps.execs.get(id)
  try {
    ;(await deps.runtimes()).resizeExec(execDirectory(deps, record), size)
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENXIO", "EPIPE")) throw error
  }
}

/** See `Execs.get`. */
export async function getExec(deps: ContainerDeps, id: string): Promise<Exec> {
  return toExec(deps, deps.execs.get(id))
}

/** See `Execs.list`. */
export async function listExecs(deps: ContainerDeps, containerId: string): Promise<Exec[]> {
  return Promise.all(deps.execs.list(containerId).map((record) => toExec(deps, record)))
}

/** The record as the contract shows it, in line with the kernel. Changes nothing. */
async function toExec(deps: ContainerDeps, record: ExecRecord): Promise<Exec> {
  const { id, containerId, request, createdAt } = record
  return { id, containerId, request, createdAt: new Date(createdAt), state: await observe(deps, record) }
}

async function observe(deps: ContainerDeps, record: ExecRecord): Promise<Exec["state"]> {
  const { status, pid, exitCode = UNKNOWN_EXIT_CODE } = record.state
  if (status === "created") return { status }
  if (status === "exited") return { status, exitCode }
  if (pid !== undefined && isStillRunning(deps, record)) return { status, pid }
  // read and cleaned up meanwhile: then it is in the record
  const code = (await exitCodeOf(deps, record)) ?? deps.execs.find(record.id)?.state.exitCode
  return { status: "exited", exitCode: code ?? UNKNOWN_EXIT_CODE }
}

function isStillRunning({ bootId }: ContainerDeps, { state }: ExecRecord): boolean {
  if (state.bootId !== bootId || state.pid === undefined || state.pidStartTime === undefined) return false
  return isAlive(state.pid, state.pidStartTime)
}

/** The work of the exit command of one that was started detached. Safe to repeat. */
export async function reconcileExec(deps: ContainerDeps, id: string): Promise<void> {
  const record = deps.execs.find(id)
  if (record) markEnded(deps, record, (await exitCodeOf(deps, record)) ?? UNKNOWN_EXIT_CODE)
}

/** Writes down the ends that nobody did, because who should was killed. Safe to repeat. */
export async function reconcileExecs(deps: ContainerDeps): Promise<void> {
  for (const record of deps.execs.running())
    // without a pid it is being started at this moment
    if (record.state.pid !== undefined && !isStillRunning(deps, record)) await reconcileExec(deps, record.id)
}

/** What runs in a container that has ended has ended, too. Before the run directory goes, with the exit codes in it. */
export async function endExecs(deps: ContainerDeps, containerId: string): Promise<void> {
  for (const record of deps.execs.running(containerId))
    markEnded(deps, record, (await exitCodeOf(deps, record)) ?? KILLED_EXIT_CODE)
}

/** 128 + SIGKILL: so the kernel ends what is left when a container's first process ends. */
const KILLED_EXIT_CODE = 137

async function exitCodeOf(deps: ContainerDeps, record: ExecRecord): Promise<number | undefined> {
  return (await deps.runtimes()).execExitCode(record.containerId, execDirectory(deps, record))
}

function markEnded(deps: ContainerDeps, record: ExecRecord, exitCode: number): void {
  const container = deps.records.byId(record.containerId)
  // its row has gone with the container's
  if (!container) return
  const event = execEvent(container, record, "exec_die", { exitCode: `${exitCode}` })
  deps.execs.markEnded(record, { status: "exited", exitCode }, event)
  removeSharedDirectory(execDirectory(deps, record))
}

function newRecord(container: ContainerRecord, given: ExecRequest, state: ExecState): ExecRecord {
  const { tty = false, stdin = false, env = [], privileged = false } = given
  const request = { ...given, tty, stdin, env, privileged }
  if (request.command.length === 0)
    throw new InvalidArgument("no command specified", { hint: "give one after the container" })
  if (request.workdir !== undefined && !request.workdir.startsWith("/"))
    throw new InvalidArgument(`the working directory "${request.workdir}" is invalid`, {
      field: "workdir",
      hint: "it must be an absolute path",
    })
  const id = newContainerId() as string as ExecId
  return { id, containerId: container.id, createdAt: Date.now(), request, state }
}

function runningState({ bootId }: ContainerDeps, { pid }: RunningExec): ExecState {
  return { status: "running", bootId, pid, pidStartTime: processStartTime(pid) }
}

async function spawnExec(
  deps: ContainerDeps,
  container: ContainerRecord,
  record: ExecRecord,
  { detach = false, consoleSize, preservedFds }: ExecStart,
): Promise<RunningExec> {
  wakeCgroupLock()
  const { request } = record
  const runtimes = await deps.runtimes()
  const runtime = await runtimeOf(deps, container)
  const bundle = runtimes.bundle(container.id)
  return runtimes.exec({
    id: container.id,
    process: () => execProcess(runtimes, container, { bundle, request, consoleSize }),
    tty: request.tty,
    stdin: request.stdin && !detach,
    detach,
    runtime,
    bundle,
    directory: execDirectory(deps, record),
    // with somebody in the foreground it is his to write the end down: a process more at each exec costs 10 ms
    preservedFds,
    exitCommand: detach ? deps.cleanupCommand(container.id, record.id) : [],
  })
}

function execProcess(
  runtimes: Runtimes,
  container: ContainerRecord,
  { bundle, request, consoleSize }: { bundle: BundlePaths; request: ExecRecord["request"] } & ExecStart,
): OciProcess {
  const config = JSON.parse(readFileSync(bundle.config, "utf8")) as OciConfig
  const { groupAdd } = container.spec.options
  const user =
    request.user === undefined
      ? undefined
      : resolveUser(bundle.rootfs, request.user, groupAdd, {
          over: accountsOver(container, bundle),
          listed: container.spec.options.imageGroups,
        })
  const declaresHome = container.spec.run.env.some((entry) => entry.startsWith("HOME="))
  // the home of another user is another, unless image or options fixed one
  const home = user === undefined || declaresHome ? [] : [`HOME=${user.home}`]
  return runtimes.execProcess(config, {
    argv: request.command,
    env: [...home, ...request.env],
    cwd: request.workdir,
    user,
    tty: request.tty,
    consoleSize,
    privileged: request.privileged,
    // `update` may have changed them since it was started
    ulimits: container.spec.options.ulimits,
  })
}

/** Where lines were added to passwd or group for this container, those files count. */
function accountsOver({ spec: { options } }: ContainerRecord, { directory }: BundlePaths): string | undefined {
  if (options.accounts === undefined && options.userNamespace === undefined) return undefined
  const files = join(directory, "etc")
  return existsSync(files) ? files : undefined
}

async function session(deps: ContainerDeps, record: ExecRecord, running: RunningExec): Promise<ExecSession> {
  let exited: Promise<number> | undefined
  return {
    exec: await toExec(deps, record),
    ...(running.attachment === undefined ? {} : { attachment: running.attachment }),
    get exited() {
      return (exited ??= running.exited.then((code) => {
        trace("program ended")
        markEnded(deps, record, code)
        trace("end recorded")
        return code
      }))
    },
    release: () => running.release(),
  }
}

/** Docker writes the command behind the action. */
function execEvent(
  container: ContainerRecord,
  { id, request }: ExecRecord,
  action: "exec_create" | "exec_start" | "exec_die",
  attributes: Record<string, string> = {},
): ReturnType<typeof containerEvent> {
  const name = action === "exec_die" ? action : `${action}: ${request.command.join(" ").slice(0, 256)}`
  return containerEvent(container, name, { execID: id, ...attributes })
}

function runningContainer(deps: ContainerDeps, nameOrId: string): ContainerRecord {
  const record = deps.records.get(nameOrId)
  if (!isRunning(record, deps)) throw notRunning(record)
  if (record.status === "paused")
    throw wrongState(record, `container "${record.name}" is paused`, { do: "unpause", container: record.name })
  return record
}
