import { writeSync } from "node:fs"
import { isTerminal, terminalSize } from "../sys/terminal/terminal.ts"
import { printable } from "../base/printable.ts"
import { coloured, YELLOW } from "./terminal/colour.ts"

/**
 * Standard output for results, standard error for all else.
 * By `writeSync` on the descriptors: the first touch of `process.stdout` costs 8 ms. On a terminal, text that may come from
 * an image or a container is made harmless.
 */
export class Out {
  #stdoutIsTerminal: boolean | undefined
  #stderrIsTerminal: boolean | undefined
  /** The line that a warning is in the words of another tool; undefined: ours. */
  warning: (text: string) => string | undefined = () => undefined

  get stdoutIsTerminal(): boolean {
    return (this.#stdoutIsTerminal ??= isTerminal(1))
  }

  get stderrIsTerminal(): boolean {
    return (this.#stderrIsTerminal ??= isTerminal(2))
  }

  /** The width that results have to fit into; undefined where they go to no terminal, and may be as wide as they are. */
  get columns(): number | undefined {
    return this.stdoutIsTerminal ? terminalSize(1)?.columns : undefined
  }

  /** The same of standard error. */
  get errorColumns(): number | undefined {
    return this.stderrIsTerminal ? terminalSize(2)?.columns : undefined
  }

  /** One line of result. */
  line(text: string): void {
    this.text(`${text}\n`)
  }

  /** Results as they are, without a newline of ours. */
  text(text: string): void {
    writeAll(1, this.stdoutIsTerminal ? printable(text) : text)
  }

  /** Control sequences of ours, to a terminal. */
  control(sequence: string): void {
    writeAll(1, sequence)
  }

  /** A page that was made for this output: what is a stranger's in it is harmless by then, and its colours are ours. */
  page(text: string): void {
    writeAll(1, text)
  }

  /** Results in a colour (an SGR number), where there are colours. */
  paint(colour: number | undefined, text: string): void {
    const shown = this.stdoutIsTerminal ? printable(text) : text
    writeAll(1, colour === undefined ? shown : coloured(1, colour, shown))
  }

  /** A pretty JSON document, as docker's inspect indents it. */
  json(value: unknown): void {
    this.line(JSON.stringify(value, null, 4))
  }

  /** One line for the person, beside the result. */
  note(text: string): void {
    writeAll(2, `${printable(text)}\n`)
  }

  /** Something that the user should know, and that stops nothing. */
  warn(text: string): void {
    const shown = printable(text)
    writeAll(2, this.warning(shown) ?? `${coloured(2, YELLOW, "skiff: warning:")} ${shown}\n`)
  }
}

/** Standard output is gone: whoever read it has closed. Ends the process quietly, as SIGPIPE would. */
export class OutputClosed extends Error {}

/** Writes all of it, waiting where a non-blocking descriptor is full. Throws OutputClosed on EPIPE. */
export function writeAll(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content) : content
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (error) {
      const code = (error as { code?: unknown }).code
      if (code === "EPIPE") throw new OutputClosed()
      if (code !== "EAGAIN") throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
    }
  }
}
