import { printable } from "../../base/printable.ts"

/** Lines that a failure shows. */
const KEPT_LINES = 30
/** A line without end is cut here: no program may fill our memory. */
const LINE_CHARACTERS = 16 * 1024

/** A line of a step's output. */
export interface LogLine {
  /** When its end came, in milliseconds since 1970. */
  at: number
  text: string
}

/** A step's output, cut into lines; each stream has its own open line. The last ones are kept, all are told. */
export class LogLines {
  readonly #open = { stdout: "", stderr: "" }
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  readonly #kept: LogLine[] = []
  readonly #onLine: (line: LogLine) => void

  constructor(onLine: (line: LogLine) => void = () => {}) {
    this.#onLine = onLine
  }

  write(stream: "stdout" | "stderr", bytes: Uint8Array, at = Date.now()): void {
    const lines = (this.#open[stream] + this.#decoders[stream].decode(bytes, { stream: true })).split("\n")
    this.#open[stream] = lines.pop() ?? ""
    for (const line of lines) this.#add(line, at)
    while (this.#open[stream].length > LINE_CHARACTERS) {
      this.#add(this.#open[stream].slice(0, LINE_CHARACTERS), at)
      this.#open[stream] = this.#open[stream].slice(LINE_CHARACTERS)
    }
  }

  /** No more will come: open lines are lines. */
  end(at = Date.now()): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const rest = this.#open[stream] + this.#decoders[stream].decode()
      this.#open[stream] = ""
      if (rest !== "") this.#add(rest, at)
    }
  }

  /** The last lines, oldest first. */
  last(count: number): readonly LogLine[] {
    return this.#kept.slice(-count)
  }

  #add(text: string, at: number): void {
    const line = { at, text: text.endsWith("\r") ? text.slice(0, -1) : text }
    this.#kept.push(line)
    if (this.#kept.length > KEPT_LINES) this.#kept.shift()
    this.#onLine(line)
  }
}

// oxlint-disable-next-line no-control-regex
const STYLE = /\u001b\[[\d;:]*[mK]/g

/**
 * A program's line for a terminal of ours: colours are left out, of a line drawn over and over only the last state is
 * shown, and any other control sequence becomes harmless text.
 */
export function safeLine(text: string): string {
  const plain = text.replace(STYLE, "").replaceAll("\t", "        ")
  return printable(plain.slice(plain.replace(/\r+$/, "").lastIndexOf("\r") + 1).replace(/\r+$/, ""))
}
