import { FailedPrecondition } from "../base/errors.ts"
import type { LogLine, LogOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { LineJoiner, type LogEntry } from "./log-entry.ts"
import { LogFile } from "./log-file.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"

/** Events tell of growth; this only bounds how late the end of the container is seen. */
const POLL_MS = 500

/** The lines a container wrote; with `follow`, until it has ended. Throws FailedPrecondition when its driver keeps none. */
export async function* readLogs(
  deps: ContainerDeps,
  nameOrId: string,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const record = deps.records.get(nameOrId)
  const { logPath } = record.spec
  if (logPath === undefined)
    throw new FailedPrecondition(
      `container "${record.name}" has no log to read: its log driver is "${record.spec.options.log.driver}"`,
      {
        hint:
          record.spec.options.log.driver === "journald"
            ? `journalctl CONTAINER_ID_FULL=${record.id}`
            : [
                "create it with a log driver that writes a file",
                { do: "set", field: "log.driver", value: "json-file" },
              ],
      },
    )
  using file = new LogFile(logPath)
  if (options.tail !== undefined) file.seekToTail(options.tail)
  const joiner = new LineJoiner()
  const lines = function* (entries: Iterable<LogEntry>) {
    for (const entry of entries) {
      const line = joiner.add(entry)
      if (line && isWanted(line, options)) yield line
    }
  }
  for (;;) {
    // asked before reading: what is written between the two is then read
    const goesOn = options.follow && !options.signal?.aborted && !isOver(options) && mayStillWrite(deps, record)
    yield* lines(file.read())
    if (!goesOn) break
    await file.changed(POLL_MS, options.signal)
  }
  for (const line of joiner.flush()) if (isWanted(line, options)) yield line
}

function isWanted({ time }: LogLine, { since, until }: LogOptions): boolean {
  return (since === undefined || time >= since) && (until === undefined || time <= until)
}

function isOver({ until }: LogOptions): boolean {
  return until !== undefined && until.getTime() < Date.now()
}

/** A container in its back-off will write again. */
function mayStillWrite(deps: ContainerDeps, { id }: ContainerRecord): boolean {
  const record = deps.records.byId(id)
  if (!record) return false
  return record.status === "restarting" || record.status === "starting" || isRunning(record, deps)
}
