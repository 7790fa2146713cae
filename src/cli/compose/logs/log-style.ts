import type { ComposeSession } from "../compose-session.ts"
import { ansiMode } from "../progress/progress-mode.ts"
import type { Out } from "../../out.ts"
import type { LogStyle } from "./log-consumer.ts"

/** Flags of `logs` and `up` that say how lines are shown. */
export interface LogStyleFlags {
  noColor: boolean
  noLogPrefix: boolean
  timestamps: boolean
}

/** Colours on a terminal, or where they are asked for. Throws as `ansiMode`. */
export function logStyle(compose: ComposeSession, flags: LogStyleFlags, out: Out): LogStyle {
  const ansi = ansiMode(compose.flags)
  const isWanted = ansi === "always" || (ansi === "auto" && out.stdoutIsTerminal)
  return {
    hasColour: isWanted && !flags.noColor && !process.env.NO_COLOR,
    hasPrefix: !flags.noLogPrefix,
    hasTimestamps: flags.timestamps,
    onTerminal: out.stdoutIsTerminal && ansi !== "never",
  }
}
