import type { LogLine } from "./container.ts"

/** One line of a k8s-file log: `2026-11-21T12:00:00.123456789+00:00 stdout F words`. */
export interface LogEntry {
  stream: "stdout" | "stderr"
  /** RFC 3339 with nanoseconds, as written. */
  timeText: string
  /** `P`: the program's line goes on in the next entry of the same stream. */
  isPartial: boolean
  content: Uint8Array
}

const SPACE = 0x20

/** Parses one line without its line break; undefined when it is not of the format (a torn write, a foreign file). */
export function parseLogEntry(line: Uint8Array): LogEntry | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  const third = line.indexOf(SPACE, second + 1)
  if (first < 0 || second < 0 || third < 0) return undefined
  const [timeText, stream, tag] = [
    [0, first],
    [first + 1, second],
    [second + 1, third],
  ].map(([start, end]) => Buffer.from(line.subarray(start, end)).toString("latin1"))
  if (timeText === undefined || (stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P"))
    return undefined
  return { stream, timeText, isPartial: tag === "P", content: line.subarray(third + 1) }
}

/** Of a block of whole entries. */
export function* entriesOf(block: Uint8Array): Generator<LogEntry, void, undefined> {
  let start = 0
  for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, start)) {
    const entry = parseLogEntry(block.subarray(start, end))
    start = end + 1
    if (entry) yield entry
  }
}

const LINE_FEED = 0x0a
const NEWLINE = Uint8Array.of(LINE_FEED)
/** A program that never ends its line must not fill our memory. */
const MAX_JOINED_BYTES = 1024 * 1024

/** Joins the parts of the program's lines, each stream for itself. */
export class LineJoiner {
  readonly #parts = { stdout: newParts(), stderr: newParts() }

  /** The line that `entry` ends, if it does. */
  add(entry: LogEntry): LogLine | undefined {
    const pending = this.#parts[entry.stream]
    pending.time ??= new Date(entry.timeText)
    pending.chunks.push(entry.content.slice())
    pending.size += entry.content.length
    if (entry.isPartial && pending.size < MAX_JOINED_BYTES) return undefined
    if (!entry.isPartial) pending.chunks.push(NEWLINE)
    return this.#take(entry.stream)
  }

  /** What has no end yet, when the log ends. */
  flush(): LogLine[] {
    return (["stdout", "stderr"] as const).flatMap((stream) =>
      this.#parts[stream].chunks.length > 0 ? [this.#take(stream)] : [],
    )
  }

  #take(stream: "stdout" | "stderr"): LogLine {
    const { chunks, time = new Date(0) } = this.#parts[stream]
    this.#parts[stream] = newParts()
    return { stream, time, bytes: Buffer.concat(chunks) }
  }
}

function newParts(): { chunks: Uint8Array[]; size: number; time: Date | undefined } {
  return { chunks: [], size: 0, time: undefined }
}
