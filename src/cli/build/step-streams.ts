import { close, closeSync, write } from "node:fs"
import type { StepStreams } from "../../build/build.ts"
import { pipe } from "../../sys/libc.ts"
import { isForeground, isTerminal, terminalSize } from "../../sys/terminal/terminal.ts"
import type { AbortOnInterrupt } from "../abort-on-interrupt.ts"
import { UsageError } from "../errors/usage-error.ts"
import { SignalProxy } from "../terminal/signal-proxy.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"

/**
 * Joins our standard streams to a step. `terminal` undefined: it has a terminal where we have one on all three. Signals end us
 * by `interrupt` until the program runs, and go to it from then on. Throws InvalidArgument.
 */
export function stepStreams(terminal: boolean | undefined, interrupt: AbortOnInterrupt): StepStreams & Disposable {
  const signals = new SignalProxy()
  const connect: NonNullable<StepStreams["signals"]>["connect"] = (send) => {
    interrupt[Symbol.dispose]()
    signals.listen()
    signals.connect(send)
  }
  const hasTerminal = terminal ?? [0, 1, 2].every(isTerminal)
  if (hasTerminal && !isTerminal(0))
    throw new UsageError("the input device is not a TTY", { hint: "leave -t out to use a pipe or a file as input" })
  const input = hasTerminal ? undefined : pumpedInput()
  return {
    terminal: hasTerminal,
    ...(hasTerminal ? { size: terminalSize(0) } : {}),
    signals: { connect },
    ...(input === undefined ? {} : { stdin: input.fd }),
    [Symbol.dispose]: () => {
      signals[Symbol.dispose]()
      input?.[Symbol.dispose]()
    },
  }
}

/**
 * Our input through a pipe: the program is handed no descriptor of the host's, which it could change the owner of (runc does)
 * or type into (a terminal's TIOCSTI).
 */
function pumpedInput(): ({ fd: number } & Disposable) | undefined {
  // to read from the terminal in the background would stop us (SIGTTIN)
  if (isTerminal(0) && !isForeground()) return undefined
  const { readEnd, writeEnd } = pipe()
  void pump(writeEnd)
  return { fd: readEnd, [Symbol.dispose]: () => closeSync(readEnd) }
}

async function pump(fd: number): Promise<void> {
  try {
    for await (const chunk of standardInput()) await writeWhole(fd, chunk)
  } catch {
    // the program has closed its input or ended: its exit tells the rest
  } finally {
    close(fd)
  }
}

async function writeWhole(fd: number, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;)
    done += await new Promise<number>((resolve, reject) =>
      write(fd, chunk, done, (error, written) => (error ? reject(error) : resolve(written))),
    )
}
