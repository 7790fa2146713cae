import { setTimeout as sleep } from "node:timers/promises"
import type { Out } from "../out.ts"
import { UsageError } from "../errors/usage-error.ts"

/** Cursor home, and all below it cleared. */
const CLEAR = "\x1b[H\x1b[2J\x1b[3J"

/** Calls `show` every so many seconds, for ever: a signal ends it. On a terminal each takes the place of the one before. */
export async function redrawEvery(seconds: number, out: Out, show: () => Promise<void>): Promise<never> {
  if (seconds < 1) throw new UsageError(`cannot look again every ${seconds} seconds`, { hint: "expected 1 or more" })
  for (;;) {
    if (out.stdoutIsTerminal) out.control(CLEAR)
    await show()
    await sleep(seconds * 1000)
  }
}
