/** What a container wrote to the journal, in the form of a log file's entries: who reads those reads these. */
import { FailedPrecondition } from "../base/errors.ts"
import { findProgram } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { spawnProcess } from "../sys/process/process.ts"
import type { LogOptions } from "./container.ts"
import { entriesOf, type LogEntry } from "./log-entry.ts"

const SIGTERM = 15
/** Of syslog(3): conmon gives it to what was written to standard error. */
const PRIORITY_ERROR = "3"
/** The journal has what was written a moment after it was. */
const LATE_MS = 300
const POLL_MS = 500
const MAX_LINE_LENGTH = 1024 * 1024

/** A stretch of entries, as `LogFile` gives them. */
export class JournalEntries {
  readonly #block: Uint8Array

  constructor(block: Uint8Array) {
    this.#block = block
  }

  *read(): Generator<LogEntry, void, undefined> {
    yield* entriesOf(this.#block)
  }

  *blocks(): Generator<Uint8Array, void, undefined> {
    yield this.#block
  }
}

/**
 * Reads by the host's journalctl, whose format of files no other program is told. With `follow`, until `goesOn` says that the container
 * writes no more. Throws FailedPrecondition without that program.
 */
export async function* readJournal(
  id: string,
  { follow, tail, since, until, signal }: LogOptions,
  goesOn: () => Promise<boolean>,
): AsyncGenerator<JournalEntries, void, undefined> {
  const program = findProgram("journalctl")
  if (program === undefined)
    throw new FailedPrecondition("the journal is read by journalctl, which is not installed", {
      hint: installCommand({ debian: "systemd" }),
    })
  const words = ["--output=json", "--all", "--no-pager", "--quiet", `CONTAINER_ID_FULL=${id}`]
  const bounds = [
    `--lines=${tail ?? "all"}`,
    ...(since === undefined ? [] : ["--since", `@${since.getTime() / 1000}`]),
    ...(until === undefined ? [] : ["--until", `@${until.getTime() / 1000}`]),
  ]
  const child = spawnProcess([program, ...words, ...bounds, ...(follow ? ["--follow"] : [])], {
    stdio: ["ignore", "pipe", "ignore"],
  })
  const end = (): void => child.kill(SIGTERM)
  signal?.addEventListener("abort", end, { once: true })
  const watch = follow ? endWhenOver(goesOn, end) : undefined
  try {
    let rest = ""
    for await (const chunk of child.stdout ?? []) {
      const lines = (rest + Buffer.from(chunk).toString("utf8")).split("\n")
      rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH)
      const entries = lines.map(entryOf).join("")
      if (entries !== "") yield new JournalEntries(Buffer.from(entries, "latin1"))
    }
  } finally {
    clearInterval(watch)
    signal?.removeEventListener("abort", end)
    end()
  }
}

function endWhenOver(goesOn: () => Promise<boolean>, end: () => void): NodeJS.Timeout {
  return setInterval(() => {
    goesOn().then(
      (isGoingOn) => void (isGoingOn || setTimeout(end, LATE_MS)),
      () => end(),
    )
  }, POLL_MS)
}

/** One line of `--output=json` as an entry of a k8s-file log, its bytes as latin1; empty for what is none. */
export function entryOf(line: string): string {
  if (line.trim() === "") return ""
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return ""
  }
  const { MESSAGE: message, PRIORITY: priority, CONTAINER_PARTIAL_MESSAGE: partial } = fields
  const time = rfc3339(Number(fields.__REALTIME_TIMESTAMP))
  const stream = priority === PRIORITY_ERROR ? "stderr" : "stdout"
  return `${time} ${stream} ${partial === "true" ? "P" : "F"} ${bytesOf(message)}\n`
}

/** A text, or what is no UTF-8 as an array of numbers. conmon leaves the line break at its end; one within it would begin another entry. */
function bytesOf(message: unknown): string {
  const bytes = Array.isArray(message) ? Buffer.from(message as number[]) : Buffer.from(String(message ?? ""), "utf8")
  return bytes.toString("latin1").replace(/\n$/, "").replaceAll("\n", " ")
}

function rfc3339(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1e6)
  const fraction = String(Math.floor(microseconds % 1e6)).padStart(6, "0")
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}000+00:00`
}
