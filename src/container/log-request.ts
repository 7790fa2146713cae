/** Which lines of a log. Default: all that there are by now. */
export interface LogOptions {
  follow?: boolean
  /** Lines from the end. */
  tail?: number
  since?: Date
  until?: Date
  signal?: AbortSignal
}

/** What stands before each line. */
export interface LogTextOptions extends LogOptions {
  /** The time that it was written, with nanoseconds. */
  timestamps?: boolean
  /** After the time. */
  head?: string
}

/** What a program wrote to one stream, any number of lines. Its bytes are there until the next text is asked for. */
export interface LogText {
  stream: "stdout" | "stderr"
  bytes: Uint8Array
}

/** One line of a program, or what it wrote last without an end. */
export interface LogLine {
  stream: "stdout" | "stderr"
  time: Date
  /** With its newline, where the program wrote one. */
  bytes: Uint8Array
}
