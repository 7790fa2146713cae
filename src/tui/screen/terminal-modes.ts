import { writeSync } from "node:fs"
import { enterRawMode } from "../../sys/terminal/terminal.ts"

/** xterm's ctlseqs, DECSET: the alternate screen, no wrapping at the right edge, no cursor, pasted text marked, clicks and wheel in SGR form. */
const ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[?2004h"
const MOUSE_ON = "\x1b[?1000h\x1b[?1006h"
const MOUSE_OFF = "\x1b[?1006l\x1b[?1000l"
const LEAVE = "\x1b[?2004l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
// keys that are one byte of old, told apart (kitty's keyboard protocol, level 1): where it is not known it is passed by
const KEYS_ON = "\x1b[>1u"
const KEYS_OFF = "\x1b[<u"

/** What a terminal is put into. */
export interface TerminalModes {
  /** Descriptors of one terminal. */
  input: number
  output: number
  hasMouse: boolean
  /** The kind of terminal, as TERM names it. */
  term: string
}

/**
 * Takes the terminal for whole-screen use. Disposing gives it back as it was, on the screen it was on; so do the end of the process,
 * however it comes, and the signals that end it. Safe to dispose twice.
 */
export function takeTerminal({ input, output, hasMouse, term }: TerminalModes): Disposable {
  const raw = enterRawMode(input)
  // the Linux console would write these out
  const tellsKeys = term !== "linux"
  let isTaken = true
  const leave = (): void => {
    if (!isTaken) return
    isTaken = false
    process.off("exit", leave)
    try {
      writeSync(output, `${tellsKeys ? KEYS_OFF : ""}${hasMouse ? MOUSE_OFF : ""}${LEAVE}`)
    } catch {
      // the terminal is gone
    }
    raw[Symbol.dispose]()
  }
  process.on("exit", leave)
  try {
    writeSync(output, `${ENTER}${hasMouse ? MOUSE_ON : ""}${tellsKeys ? KEYS_ON : ""}`)
  } catch (error) {
    leave()
    throw error
  }
  return { [Symbol.dispose]: leave }
}
