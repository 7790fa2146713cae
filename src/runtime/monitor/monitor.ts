import { readFileSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { watchDirectory } from "../../base/directory-watch.ts"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { installCommand } from "../../sys/install-command.ts"
import { close, pipe } from "../../sys/libc.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import { PipeReader } from "../../sys/process/pipe.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import {
  isAlive,
  processStartTime,
  run,
  spawnProcess,
  type Child,
  type Pid,
  type StartTime,
} from "../../sys/process/process.ts"
import { useOurNamespaces } from "../../sys/rootless/use-namespaces.ts"
import { runtimeFailure } from "../oci/failure.ts"
import { sharedWords } from "../criu/shared-words.ts"
import { preservedFds } from "./preserved-fds.ts"
import type { BundlePaths, LogFileLimit, Monitor, MonitorOptions, PendingMonitor, Runtime } from "../runtime.ts"

/** The oldest conmon whose protocol was measured; older ones lack `--full-attach` or report no exit on the sync pipe. */
export const CONMON_FLOOR = [2, 1, 6] as const

/** From here on conmon counts what a log file holds already towards its limit; an older one counts what it writes itself. */
const COUNTS_WHOLE_FILE = [2, 1, 10] as const

/**
 * Words that conmon understands for this container (conmon(8), the same in 2.1.6 and 2.1.13). Pure. `version`: what it prints of
 * itself, where `needsVersion`.
 */
export function monitorArgs(conmonPath: string, options: MonitorOptions, version = ""): string[] {
  const { bundle, log, exitCommand, exitDelaySeconds, runTimeoutSeconds } = options
  return [
    ...commonArgs(conmonPath, options, bundle.directory),
    "--exit-dir",
    bundle.exitDirectory,
    "--no-sync-log",
    "-l",
    log.driver === "k8s-file" ? `k8s-file:${log.path}` : log.driver,
    ...(log.limit === undefined ? [] : ["--log-size-max", String(sizeMax(log.limit, version))]),
    ...(log.tag === undefined ? [] : ["--log-tag", log.tag]),
    ...(options.stdin ? ["-i"] : []),
    // a terminal outlives its client, so that a later attach can type again; a pipe ends with its one writer (StdinOnce)
    ...(options.tty ? ["-t"] : []),
    ...((options.keepStdin ?? options.tty) ? ["--leave-stdin-open"] : []),
    ...exitCommandArgs(exitCommand),
    ...restoreArgs(options),
    ...preservedFds(options.preservedFds).args,
    ...(runTimeoutSeconds === undefined ? [] : ["--timeout", String(runTimeoutSeconds)]),
    ...(exitDelaySeconds === undefined ? [] : ["--exit-delay", String(exitDelaySeconds)]),
  ]
}

/** conmon calls `restore` in place of `create`; its work directory, where CRIU's log goes, is the bundle. */
function restoreArgs({ restore }: MonitorOptions): string[] {
  if (restore === undefined) return []
  return ["--restore", restore.imageDirectory, ...sharedWords(restore).flatMap((word) => ["--runtime-opt", word])]
}

/** Whether the words depend on conmon's version: where a log file holds something already. */
export const needsVersion = ({ log }: MonitorOptions): boolean => log.limit?.freeBytes !== log.limit?.maxBytes

function sizeMax({ maxBytes, freeBytes }: LogFileLimit, version: string): number {
  if (freeBytes === maxBytes) return maxBytes
  const [, ...parts] = /(\d+)\.(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  const index = COUNTS_WHOLE_FILE.findIndex((floor, at) => parts[at] !== floor)
  const isNewer = index < 0 || (parts[index] ?? 0) > (COUNTS_WHOLE_FILE[index] ?? 0)
  return isNewer ? maxBytes : freeBytes
}

/** The command that conmon runs after the exit, as its arguments; none without words. */
export function exitCommandArgs([path, ...args]: readonly string[]): string[] {
  return path === undefined ? [] : ["--exit-command", path, ...args.flatMap((arg) => ["--exit-command-arg", arg])]
}

/** What conmon is told for a container and for an exec alike; its files go into `directory`. */
export function commonArgs(
  conmonPath: string,
  options: { id: string; name?: string; runtime: Runtime },
  directory: string,
): string[] {
  const { id, name = id, runtime } = options
  const identity = ["--api-version", "1", "-c", id, "-u", id, "-n", name]
  const files = [
    "-b",
    directory,
    "-p",
    join(directory, "pidfile"),
    "-P",
    join(directory, "conmon.pid"),
    "--full-attach",
  ]
  const runtimeArgs = runtime.globalArgs.flatMap((arg) => ["--runtime-arg", arg])
  return [conmonPath, ...identity, "-r", runtime.path, ...runtimeArgs, ...files]
}

/**
 * Starts conmon, which loads, reads its words, and waits for a byte: all this while the bundle is made. Throws NotFound.
 *
 * A conmon whose start pipe closes without one goes on all the same; it then finds no config.json, and ends.
 */
export async function startMonitor(conmonPath: string, options: MonitorOptions): Promise<PendingMonitor> {
  const version = needsVersion(options) ? (await run([conmonPath, "--version"])).stdout : ""
  const sync = pipe()
  const start = pipe()
  // the rootless namespaces are needed as long as it lives
  const inUse = useOurNamespaces()
  const preserved = preservedFds(options.preservedFds)
  const held = [...(options.held ?? []), ...(inUse === undefined ? [] : [inUse])]
  try {
    const launcher = spawnProcess(monitorArgs(conmonPath, options, version), {
      cwd: options.bundle.directory, // it writes its `oom` mark there
      env: {
        ...monitorEnvironment(process.env),
        _OCI_SYNCPIPE: `${preserved.next}`,
        _OCI_STARTPIPE: `${preserved.next + 1}`,
      },
      stdio: [...monitorStreams(options), ...preserved.stdio, sync.writeEnd, start.readEnd, ...held],
      detached: true,
    })
    return new WaitingConmon(options, launcher, sync.readEnd, start.writeEnd)
  } catch (cause) {
    close(sync.readEnd)
    close(start.writeEnd)
    throw new NotFound(`cannot start the monitor "${conmonPath}"`, {
      hint: installCommand({ debian: "conmon" }),
      cause,
    })
  } finally {
    close(sync.writeEnd)
    close(start.readEnd)
    if (inUse !== undefined) close(inUse)
  }
}

/** `passthrough` gives the program what we have ourselves; what conmon says of itself goes there as well. */
function monitorStreams({ log }: MonitorOptions): ["ignore" | 0, "ignore" | 1, "pipe" | 2] {
  return log.driver === "passthrough" ? [0, 1, 2] : ["ignore", "ignore", "pipe"]
}

class WaitingConmon implements PendingMonitor {
  readonly #options: MonitorOptions
  readonly #launcher: Child
  readonly #syncPipe: number
  #startPipe: number | undefined

  constructor(options: MonitorOptions, launcher: Child, syncPipe: number, startPipe: number) {
    this.#options = options
    this.#launcher = launcher
    this.#syncPipe = syncPipe
    this.#startPipe = startPipe
  }

  /** Forks conmon, which has the runtime create the container and reports its pid. */
  async create(config: OciConfig): Promise<Monitor> {
    const { id, bundle, runtime } = this.#options
    const reader = new PipeReader(this.#syncPipe)
    wakeCgroupLock()
    writeFileSync(bundle.config, JSON.stringify(config), { mode: 0o600 })
    this.#go()
    const report = parseReport(await reader.line())
    if (report === undefined || report.data < 0) {
      reader[Symbol.dispose]()
      if (report?.message !== undefined)
        throw runtimeFailure(runtime.name, report.message, { program: config.process.args[0] })
      throw new FailedPrecondition(`the monitor gave no report: ${(await this.#words()) || "no message"}`, {
        hint: `conmon ${CONMON_FLOOR.join(".")} or newer is needed; see its version`,
      })
    }
    await this.#launcher.exited // it writes the monitor's pid file as its last act, perhaps after the monitor's report
    return new LiveMonitor(id, bundle, report.data as Pid, readMonitorPid(bundle), reader)
  }

  [Symbol.dispose](): void {
    if (this.#startPipe === undefined) return
    this.#launcher.kill(SIGKILL)
    close(this.#startPipe)
    close(this.#syncPipe)
    this.#startPipe = undefined
  }

  #go(): void {
    if (this.#startPipe === undefined) throw new FailedPrecondition("the monitor has ended")
    try {
      writeSync(this.#startPipe, "0")
    } catch {
      // EPIPE: conmon has died; what it said becomes the error
    }
    close(this.#startPipe)
    this.#startPipe = undefined
  }

  async #words(): Promise<string> {
    let words = ""
    for await (const chunk of this.#launcher.stderr ?? [])
      words = (words + Buffer.from(chunk).toString()).slice(0, 4096)
    return words.trim()
  }
}

const SIGKILL = 9

/** What the sync pipe tells: `{"data": PID}`, or `{"data": -1, "message": "…"}`. */
export function parseReport(line: string | undefined): { data: number; message?: string } | undefined {
  if (line === undefined) return undefined
  try {
    const report = JSON.parse(line) as { data?: unknown; message?: unknown }
    if (typeof report.data !== "number") return undefined
    return { data: report.data, message: typeof report.message === "string" ? report.message : undefined }
  } catch {
    return undefined
  }
}

const PASSED_ON = /^(PATH|HOME|USER|LANG|LC_.*|TMPDIR|XDG_.*|DBUS_SESSION_BUS_ADDRESS|_?SKIFF_.*)$/

/** The monitor's own environment, and its exit command's: places only, never a secret that the caller happened to have. */
export function monitorEnvironment(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name)))
}

function readMonitorPid(bundle: BundlePaths): Pid {
  return Number(readFileSync(bundle.monitorPidFile, "latin1")) as Pid
}

class LiveMonitor implements Monitor {
  readonly exited: Promise<number>

  constructor(
    id: string,
    bundle: BundlePaths,
    readonly pid: Pid,
    readonly monitorPid: Pid,
    private readonly reader: PipeReader,
  ) {
    // the pipe ends when conmon has written the exit file, and before its exit command ends
    this.exited = reader.end().then(() => {
      if (reader.disposed) return new Promise<number>(() => {}) // released: nobody learns of the end from here
      reader[Symbol.dispose]()
      const code = exitCode(id, bundle)
      if (code === undefined) throw new NotFound(`the monitor of "${id}" ended and left no exit code`)
      return code
    })
    this.exited.catch(() => {}) // not everybody waits for it
  }

  release(): void {
    this.reader[Symbol.dispose]()
  }
}

/** conmon writes -1 for what it killed because its time was over. */
const TIMED_OUT = "-1"
/** What a shell makes of -1. */
const TIMED_OUT_CODE = 255

/** The exit code that conmon wrote; undefined while there is none. */
export function exitCode(id: string, bundle: Pick<BundlePaths, "exitDirectory">): number | undefined {
  try {
    const text = readFileSync(`${bundle.exitDirectory}/${id}`, "latin1").trim()
    if (text === TIMED_OUT) return TIMED_OUT_CODE
    return /^\d{1,3}$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** Only a monitor that was killed leaves no exit file: nothing else tells of its end. */
const MONITOR_CHECK_MS = 500

/**
 * Finds the end of a container whose sync pipe another process held: conmon renames the exit file into its place before
 * anything else is done about the end, and inotify tells of it within a millisecond, to any number of waiters.
 */
export function findMonitor(container: { id: string; bundle: BundlePaths; pid: Pid; monitorPid: Pid }): Monitor {
  const { id, bundle, pid, monitorPid } = container
  const startTime: StartTime | undefined = processStartTime(monitorPid)
  const watch = new DisposableStack()
  let exited: Promise<number> | undefined
  const watchExit = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const alive = startTime !== undefined && isAlive(monitorPid, startTime)
        const code = exitCode(id, bundle) // after `alive`: it may write its file and end between the two
        if (code === undefined && alive) return
        watch.dispose()
        if (code === undefined) reject(new NotFound(`the monitor of "${id}" has died and left no exit code`))
        else resolve(code)
      }
      if (watch.disposed) return // released: nobody learns of the end from here
      watch.use(watchDirectory(bundle.exitDirectory, (name) => (name === id || name === undefined) && look()))
      const timer = setInterval(look, MONITOR_CHECK_MS)
      watch.defer(() => clearInterval(timer))
      look() // it may have ended before the watch began
    })
  return {
    pid,
    monitorPid,
    // watched when asked for: `start` of one that runs already only lets go
    get exited() {
      if (exited === undefined) {
        exited = watchExit()
        exited.catch(() => {}) // not everybody waits for it
      }
      return exited
    },
    release: () => watch.dispose(),
  }
}
