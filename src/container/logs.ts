import { basename, dirname } from "node:path"
import { watchDirectory } from "../base/directory-watch.ts"
import { FailedPrecondition, hasErrno } from "../base/errors.ts"
import type { LogLine, LogOptions, LogText, LogTextOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { LineJoiner } from "./log-entry.ts"
import { LogFile } from "./log-file.ts"
import { olderLogs } from "./log-history.ts"
import { tendLogOf } from "./log-driver.ts"
import { LogTextReader } from "./log-text.ts"
import { isRunning } from "./observe.ts"
import { exitFile } from "./paths.ts"
import { needsReconciling } from "./suspects.ts"
import type { ContainerRecord } from "./record.ts"

/** Only the end of a monitor that was killed is told by nothing else. */
const MONITOR_CHECK_MS = 500

/** The lines a container wrote; with `follow`, until it has ended. Throws FailedPrecondition when its driver keeps none. */
export async function* readLogs(
  deps: ContainerDeps,
  nameOrId: string,
  options: LogOptions = {},
): AsyncGenerator<LogLine, void, undefined> {
  const joiner = new LineJoiner()
  for await (const file of readFiles(deps, nameOrId, options))
    for (const entry of file.read()) {
      const line = joiner.add(entry)
      if (line && isWanted(line, options)) yield line
    }
  for (const line of joiner.flush()) if (isWanted(line, options)) yield line
}

/** See `Containers.logText`. */
export async function* readLogText(
  deps: ContainerDeps,
  nameOrId: string,
  options: LogTextOptions = {},
): AsyncGenerator<LogText, void, undefined> {
  const reader = new LogTextReader(options)
  for await (const file of readFiles(deps, nameOrId, options))
    for (const block of file.blocks()) yield* reader.read(block)
}

/** The files of the log, oldest first; the last one again and again, as there is more to read of it. */
async function* readFiles(
  deps: ContainerDeps,
  nameOrId: string,
  options: LogOptions,
): AsyncGenerator<Pick<LogFile, "read" | "blocks">, void, undefined> {
  const record = deps.records.get(nameOrId)
  if (record.spec.options.log.driver === "journald") {
    const { readJournal } = await import("./journal-log.ts")
    return yield* readJournal(record.id, options, () => mayStillWrite(deps, record))
  }
  const logPath = logPathOf(record)
  await using changes = options.follow ? new Changes(deps, record, logPath, options) : undefined
  tendLogOf(deps, record)
  using file = new LogFile(logPath)
  // opened after it: what is put aside between the two is this very file
  using older = openOlder(logPath, file.inode)
  if (options.tail !== undefined) seekToTail([...older.files, file], options.tail)
  for (const one of older.files) yield one
  for (;;) {
    // asked before reading: what is written between the two is then read
    changes?.clear()
    const goesOn = options.follow && !options.signal?.aborted && !isOver(options) && (await mayStillWrite(deps, record))
    yield file
    if (!goesOn || changes === undefined) return
    await changes.next()
    tendLogOf(deps, record)
  }
}

function logPathOf({ name, spec }: ContainerRecord): string {
  const { logPath } = spec
  if (logPath !== undefined) return logPath
  throw new FailedPrecondition(
    `container "${name}" has no log to read: its log driver is "${spec.options.log.driver}"`,
    { hint: ["create it with a log driver that keeps one", { do: "set", field: "log.driver", value: "k8s-file" }] },
  )
}

function openOlder(path: string, current: number | undefined): { files: LogFile[] } & Disposable {
  const opened = olderLogs(path).map((older) => new LogFile(older, { isWhole: true }))
  const files = opened.filter(({ inode }) => inode !== undefined && inode !== current)
  return {
    files,
    [Symbol.dispose]() {
      for (const file of opened) file[Symbol.dispose]()
    },
  }
}

/** To the last `lines` lines of all files together. */
function seekToTail(files: readonly LogFile[], lines: number): void {
  let left = lines
  for (const file of files.toReversed()) left -= file.seekToTail(left)
}

function isWanted({ time }: LogLine, { since, until }: LogOptions): boolean {
  return (since === undefined || time >= since) && (until === undefined || time <= until)
}

function isOver({ until }: LogOptions): boolean {
  return until !== undefined && until.getTime() < Date.now()
}

/** A container in its back-off will write again. */
async function mayStillWrite(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<boolean> {
  const goesOn = (record: ContainerRecord | undefined): boolean =>
    record !== undefined && (record.status === "restarting" || record.status === "starting" || isRunning(record, deps))
  const record = deps.records.byId(id)
  if (goesOn(record)) return true
  if (!record || spec.options.restart.name === "no" || !needsReconciling(record, deps)) return false
  // between its end and its back-off lies the exit command's work
  return goesOn(await (await import("./reconcile-now.ts")).reconcileNow(deps, id))
}

/** Tells that there may be more to read, or that the end has come: of the log, of the container, of the time to follow. */
class Changes implements AsyncDisposable {
  readonly #sources = new AsyncDisposableStack()
  #hasChanged = false
  #wake: (() => void) | undefined

  constructor(deps: ContainerDeps, { id }: ContainerRecord, logPath: string, { until, signal }: LogOptions) {
    const tell = (): void => {
      this.#hasChanged = true
      this.#wake?.()
    }
    const [logName, exits] = [basename(logPath), dirname(exitFile(deps, id))]
    this.#watch(dirname(logPath), (name) => (name === logName || name === undefined) && tell())
    this.#watch(exits, (name) => (name === id || name === undefined) && tell())
    const events = this.#sources.use(deps.events.watch({ filter: { containers: [id] }, until, signal }))
    const pump = async (): Promise<void> => {
      for await (const _ of events) tell()
      tell() // it is over, or was cancelled
    }
    pump().catch(tell)
    const timer = setInterval(tell, MONITOR_CHECK_MS)
    this.#sources.defer(() => clearInterval(timer))
  }

  /** What is told before the next call of this is kept for `next`. */
  clear(): void {
    this.#hasChanged = false
  }

  async next(): Promise<void> {
    if (!this.#hasChanged) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sources.disposeAsync()
  }

  /** A directory that is not there has nothing to tell: it is made before the container starts. */
  #watch(directory: string, listener: (name: string | undefined) => void): void {
    try {
      this.#sources.use(watchDirectory(directory, listener))
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error
    }
  }
}
