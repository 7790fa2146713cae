import { closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { trace } from "../../base/trace.ts"
import { removeSharedDirectory } from "../../sys/fs/remove-shared-directory.ts"
import { close, pipe } from "../../sys/libc.ts"
import { PipeReader } from "../../sys/process/pipe.ts"
import { wakeCgroupLock } from "../../sys/process/cgroup-lock.ts"
import { spawnProcess, type Child, type Pid } from "../../sys/process/process.ts"
import { attachTo } from "./attach.ts"
import { runtimeFailure } from "../oci/failure.ts"
import { commonArgs, exitCode, exitCommandArgs, monitorEnvironment, parseReport } from "./monitor.ts"
import { preservedFds } from "./preserved-fds.ts"
import type { TerminalSize } from "../../sys/terminal/terminal.ts"
import type { Attachment, Exec, ExecOptions } from "../runtime.ts"

/** docker exec's exit code for whatever keeps the program from its start. */
const CANNOT_INVOKE = 126
const SIGKILL = 9

/**
 * Runs one more program in a container, with a conmon of its own: it outlives us, as an exec of docker's does.
 *
 * `RUNTIME exec` without conmon was measured: 3 to 4 ms less (crun 7 for 11, runc 23 for 27), but the program would lose
 * its output with us, and a terminal needs conmon anyhow. So there is one path.
 */
export async function execIn(conmonPath: string, options: ExecOptions): Promise<Exec> {
  const { directory } = options
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const spec = join(directory, "process.json")
    const { reports, attachReports, startPipe, launcher } = spawnMonitor(conmonPath, options, spec)
    using undo = new DisposableStack()
    undo.use(reports)
    undo.use(attachReports)
    undo.defer(() => close(startPipe))
    trace("monitor started")
    undo.defer(() => launcher.kill(SIGKILL)) // as long as it waits there is nothing but it
    const process = options.process()
    writeFileSync(spec, JSON.stringify(process), { mode: 0o600 })
    goOn(startPipe)
    trace("process made")
    let attachment: Attachment | undefined
    // conmon says here that its attach socket is there, and waits for a second byte before it starts the program
    if (!options.detach && (await attachReports.line()) !== undefined) {
      trace("monitor is ready")
      attachment = await attachTo(join(directory, "attach"))
      undo.use(attachment)
      wakeCgroupLock()
      goOn(startPipe)
    }
    const started = parseReport(await reports.line())
    if (started === undefined || started.data < 0) {
      await reports.end() // until then conmon makes files in the directory
      throw started?.message === undefined
        ? new FailedPrecondition("the monitor of the exec gave no report")
        : runtimeFailure(options.runtime.name, started.message, {
            program: process.args[0],
            otherwise: CANNOT_INVOKE,
          })
    }
    attachReports[Symbol.dispose]()
    close(startPipe)
    trace("program started")
    undo.move() // all went well: from here the caller holds them
    return new RunningExec(started.data as Pid, reports, attachment)
  } catch (error) {
    removeSharedDirectory(directory)
    throw error
  }
}

interface ExecMonitor {
  reports: PipeReader
  attachReports: PipeReader
  startPipe: number
  launcher: Child
}

/** It loads, and waits for a byte before it looks at `spec`. */
function spawnMonitor(conmonPath: string, options: ExecOptions, spec: string): ExecMonitor {
  const { directory } = options
  const preserved = preservedFds(options.preservedFds)
  const sync = pipe()
  const start = pipe()
  const attach = pipe()
  try {
    const launcher = spawnProcess(execArgs(conmonPath, options, spec), {
      cwd: directory,
      env: {
        ...monitorEnvironment(process.env),
        _OCI_SYNCPIPE: `${preserved.next}`,
        _OCI_STARTPIPE: `${preserved.next + 1}`,
        ...(!options.detach && { _OCI_ATTACHPIPE: `${preserved.next + 2}` }),
      },
      stdio: ["ignore", "ignore", "ignore", ...preserved.stdio, sync.writeEnd, start.readEnd, attach.writeEnd],
      detached: true,
    })
    launcher.unref()
    return {
      reports: new PipeReader(sync.readEnd),
      attachReports: new PipeReader(attach.readEnd),
      startPipe: start.writeEnd,
      launcher,
    }
  } catch (error) {
    for (const fd of [sync.readEnd, start.writeEnd, attach.readEnd]) close(fd)
    throw error
  } finally {
    for (const fd of [sync.writeEnd, start.readEnd, attach.writeEnd]) close(fd)
  }
}

function execArgs(conmonPath: string, options: ExecOptions, spec: string): string[] {
  const { directory } = options
  return [
    ...commonArgs(conmonPath, options, directory),
    "-e",
    "--exec-process-spec",
    spec,
    "-l",
    "none",
    ...(options.detach ? [] : ["--exec-attach"]),
    ...(options.stdin ? ["-i"] : []),
    ...(options.tty ? ["-t"] : []),
    "--exit-dir",
    directory,
    ...exitCommandArgs(options.exitCommand ?? []),
    ...preservedFds(options.preservedFds).args,
  ]
}

/** By its directory, also for who did not start it. Throws ENOENT when it has ended. */
export function resizeExec(directory: string, { rows, columns }: TerminalSize): void {
  writeFileSync(join(directory, "ctl"), `1 ${rows} ${columns}\n`)
}

/** The end of a program is seen before its monitor has written it down; one that hangs is waited for no longer. */
const EXIT_CODE_WAIT_MS = 2000
const EXIT_CODE_POLL_MS = 2

/** See `Runtimes.execExitCode`. */
export async function execExitCode(id: string, directory: string): Promise<number | undefined> {
  const deadline = Date.now() + EXIT_CODE_WAIT_MS
  for (;;) {
    // looked at in this order: it writes the code, then it ends
    const mayWrite = isMonitored(directory) && Date.now() < deadline
    const code = exitCode(id, { exitDirectory: directory })
    if (code !== undefined || !mayWrite) return code
    await sleep(EXIT_CODE_POLL_MS)
  }
}

/** Whether the monitor lives: it reads its control FIFO to the end, and a FIFO that nobody reads cannot be opened (fifo(7)). */
function isMonitored(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW))
    return true
  } catch (error) {
    if (hasErrno(error, "ENXIO", "ENOENT")) return false
    throw error
  }
}

function goOn(startPipe: number): void {
  try {
    writeFileSync(startPipe, "0")
  } catch {
    // EPIPE: conmon has died; what its other pipes say, or do not say, becomes the error
  }
}

class RunningExec implements Exec {
  readonly exited: Promise<number>

  constructor(
    readonly pid: Pid,
    private readonly reports: PipeReader,
    readonly attachment: Attachment | undefined,
  ) {
    this.exited = reports.line().then((line) => {
      const ended = parseReport(line)
      reports[Symbol.dispose]()
      if (ended === undefined) throw new FailedPrecondition("the monitor of the exec has died and left no exit code")
      return ended.data
    })
    this.exited.catch(() => {}) // not everybody waits for it
  }

  release(): void {
    this.reports[Symbol.dispose]()
  }
}
