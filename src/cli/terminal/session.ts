import type { Attachment } from "../../runtime/runtime.ts"
import { enterRawMode, isTerminal, onResize, terminalSize, type TerminalSize } from "../../sys/terminal/terminal.ts"
import { DetachKeys } from "./detach-keys.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"
import { writeOutput } from "./standard-output.ts"

/** How our streams are joined to a program's. */
export interface SessionOptions {
  attachment: Attachment
  exited: Promise<number>
  /** The program has a terminal: ours goes raw, keys detach, its size follows. */
  tty: boolean
  stdin: boolean
  /** Streams that are shown; default both. */
  shows?: { stdout: boolean; stderr: boolean }
  detachKeys?: Uint8Array
  resize(size: TerminalSize): void
}

/** Why a session is over: the program has ended, or the user detached. */
export type SessionEnd = { kind: "exited"; code: number } | { kind: "detached" }

/** How long output may be silent after the exit: a left-over child may hold the stream open for ever. */
const SILENCE_MS = 500

/**
 * Joins this process's terminal or streams to a program's until it ends or the user detaches. The terminal's mode is
 * brought back whatever happens. Throws OutputClosed when our reader has gone.
 */
export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { attachment, exited, tty } = options
  using cleanup = new DisposableStack()
  const output = pumpOutput(options)
  if (tty) {
    if (options.stdin && isTerminal(0)) cleanup.use(enterRawMode(0))
    followSize(options, cleanup)
  }
  const input = options.stdin ? pumpInput(options) : never<"detached">()
  const ended = await Promise.race([exited, input, output.failed])
  if (ended === "detached") return { kind: "detached" }
  await Promise.race([output.finished(attachment.closed), output.failed])
  return { kind: "exited", code: ended }
}

function followSize({ resize }: SessionOptions, cleanup: DisposableStack): void {
  const sendSize = () => {
    const size = terminalSize(0) ?? terminalSize(1)
    if (size) resize(size)
  }
  sendSize()
  cleanup.use(onResize(sendSize))
}

interface Output {
  /** Rejects when writing fails; never resolves. */
  failed: Promise<never>
  /** Resolves when all has come and is written. */
  finished(closed: Promise<void>): Promise<void>
}

function pumpOutput({ attachment, shows = { stdout: true, stderr: true } }: SessionOptions): Output {
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // raced by the session, or too late to matter
  let lastChunkAt = 0
  let writing: Promise<void> = Promise.resolve()
  attachment.onOutput((stream, chunk) => {
    lastChunkAt = Date.now()
    if (!shows[stream]) return undefined
    writing = writeOutput(stream === "stdout" ? 1 : 2, chunk).catch(failure.reject)
    return writing
  })
  const quiet = async () => {
    const from = Date.now()
    while (Date.now() - Math.max(lastChunkAt, from) < SILENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, SILENCE_MS / 5))
      await writing
    }
  }
  return {
    failed: failure.promise,
    finished: async (closed) => {
      await Promise.race([closed, quiet()])
      await writing
    },
  }
}

/** Resolves only when the user detaches; the end of our input is passed on. */
async function pumpInput({ attachment, tty, detachKeys }: SessionOptions): Promise<"detached"> {
  const keys = tty ? new DetachKeys(detachKeys) : undefined
  try {
    for await (const chunk of standardInput()) {
      const { forward, detached } = keys?.feed(chunk) ?? { forward: chunk, detached: false }
      if (forward.length > 0) await attachment.write(forward)
      if (detached) return "detached"
    }
    attachment.endInput()
  } catch {
    // the program has closed its input or ended: its exit tells the rest
  }
  return never()
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}
