import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition } from "../base/errors.ts"
import { close, pipe } from "../sys/libc.ts"
import { PipeReader } from "../sys/pipe.ts"
import { spawnProcess } from "../sys/process.ts"
import { attachTo } from "./attach.ts"
import { runtimeFailure } from "./failure.ts"
import { commonArgs, monitorEnvironment, parseReport } from "./monitor.ts"
import type { Exec, ExecOptions } from "./runtime.ts"

/** Runs one more program in a container, with a conmon of its own: it outlives us, as an exec of docker's does. */
export async function execIn(conmonPath: string, options: ExecOptions): Promise<Exec> {
  const { bundle, runtime, detach } = options
  const tty = options.process.terminal === true
  const folder = mkdtempSync(join(bundle.directory, "exec-"))
  const spec = join(folder, "process.json")
  writeFileSync(spec, JSON.stringify(options.process), { mode: 0o600 })
  const sync = pipe()
  const start = pipe()
  const attach = detach ? undefined : pipe()
  spawnProcess(
    [
      ...commonArgs(conmonPath, options, folder),
      "-e",
      "--exec-process-spec",
      spec,
      "-l",
      "none",
      ...(detach ? [] : ["--exec-attach"]),
      ...(options.stdin ? ["-i"] : []),
      ...(tty ? ["-t"] : []),
    ],
    {
      cwd: folder,
      env: {
        ...monitorEnvironment(process.env),
        _OCI_SYNCPIPE: "3",
        _OCI_STARTPIPE: "4",
        ...(attach && { _OCI_ATTACHPIPE: "5" }),
      },
      stdio: ["ignore", "ignore", "ignore", sync.writeEnd, start.readEnd, ...(attach ? [attach.writeEnd] : [])],
      detached: true,
    },
  ).unref()
  for (const fd of [sync.writeEnd, start.readEnd, ...(attach ? [attach.writeEnd] : [])]) close(fd)
  const reports = new PipeReader(sync.readEnd)
  writeFileSync(start.writeEnd, "0")
  let attachment
  if (attach) {
    using ready = new PipeReader(attach.readEnd)
    await ready.line()
    attachment = await attachTo(join(folder, "attach"))
    writeFileSync(start.writeEnd, "0")
  }
  close(start.writeEnd)
  const started = parseReport(await reports.line())
  const tidy = (): void => {
    reports[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true })
  }
  if (started === undefined || started.data < 0) {
    attachment?.[Symbol.dispose]()
    tidy()
    throw started?.message === undefined
      ? new FailedPrecondition("the exec's monitor gave no report")
      : runtimeFailure(runtime.name, started.message)
  }
  const exited = reports.line().then((line) => {
    const ended = parseReport(line)
    tidy()
    if (ended === undefined) throw new FailedPrecondition("the exec's monitor has died and left no exit code")
    return ended.data
  })
  exited.catch(() => {})
  return {
    ...(attachment && { attachment }),
    exited,
    resize: ({ rows, columns }) => writeFileSync(join(folder, "ctl"), `1 ${rows} ${columns}\n`),
    release: () => reports[Symbol.dispose](),
  }
}
