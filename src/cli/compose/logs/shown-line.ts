import type { LogText } from "../../../container/container.ts"

/** One line of a container: what stands in the log, without its end. */
export interface ShownLine {
  /** RFC 3339 with nanoseconds, UTC: two of them compare as texts do. */
  time: string
  stream: LogText["stream"]
  bytes: Uint8Array
}

const NEWLINE = 0x0a
const SPACE = 0x20
/** A program that never ends its line must not fill our memory. */
const MAX_LINE_BYTES = 1024 * 1024

interface Rest {
  time: string
  parts: Uint8Array[]
  size: number
}

/** Takes texts with timestamps apart into lines; what a program has not ended yet waits for its end. */
export class LineSplitter {
  readonly #rests: Record<LogText["stream"], Rest | undefined> = { stdout: undefined, stderr: undefined }

  /** The lines that end in `text`. Their bytes are theirs: those of `text` may be written over. */
  split({ stream, bytes }: LogText): ShownLine[] {
    const block = Buffer.from(bytes)
    const lines: ShownLine[] = []
    let start = 0
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
      lines.push(this.#line(stream, block.subarray(start, end)))
      start = end + 1
    }
    if (start < block.length) this.#keep(stream, block.subarray(start))
    const rest = this.#rests[stream]
    if (rest && rest.size > MAX_LINE_BYTES) lines.push(this.#cut(stream, rest))
    return lines
  }

  /** What has no end, when the log has. */
  flush(): ShownLine[] {
    return (["stdout", "stderr"] as const).flatMap((stream) => {
      const rest = this.#rests[stream]
      this.#rests[stream] = undefined
      return rest === undefined || rest.size === 0 ? [] : [joined(stream, rest)]
    })
  }

  #line(stream: LogText["stream"], bytes: Buffer): ShownLine {
    const rest = this.#rests[stream]
    if (rest !== undefined) {
      this.#rests[stream] = undefined
      rest.parts.push(bytes)
      return joined(stream, rest)
    }
    const { time, start } = timeOf(bytes)
    return { time, stream, bytes: bytes.subarray(start) }
  }

  #keep(stream: LogText["stream"], bytes: Buffer): void {
    let rest = this.#rests[stream]
    const { time, start } = rest === undefined ? timeOf(bytes) : { time: rest.time, start: 0 }
    rest ??= this.#rests[stream] = { time, parts: [], size: 0 }
    rest.parts.push(bytes.subarray(start))
    rest.size += bytes.length - start
  }

  /** Shown as a line, though none has ended: the next part goes on without a time of its own. */
  #cut(stream: LogText["stream"], rest: Rest): ShownLine {
    this.#rests[stream] = { time: rest.time, parts: [], size: 0 }
    return joined(stream, rest)
  }
}

function joined(stream: LogText["stream"], { time, parts }: Rest): ShownLine {
  return { time, stream, bytes: Buffer.concat(parts) }
}

function timeOf(line: Buffer): { time: string; start: number } {
  const end = line.indexOf(SPACE)
  return end < 0 ? { time: "", start: 0 } : { time: line.toString("latin1", 0, end), start: end + 1 }
}
