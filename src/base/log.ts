import { writeSync } from "node:fs"
import { printable } from "./printable.ts"

/** From the least to the most urgent. */
export type LogLevel = "debug" | "info" | "warn" | "error"

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
let threshold: LogLevel = "warn"
let format: "text" | "json" = "text"
// writeSync, not process.stderr: the first touch of a process stream costs 8 ms of start-up
let show = (level: LogLevel, text: string): void => void writeSync(2, `skiff: ${printable(`${level}: ${text}`)}\n`)

/** How messages beside the result are written. */
export interface LogOptions {
  /** The lowest that is written. */
  level?: LogLevel
  format?: "text" | "json"
  /** Writes one line of text, whose words may be a stranger's: they are made harmless there. */
  show?: (level: LogLevel, text: string) => void
}

/** Sets what is written and how, once, by the front end. */
export function configureLog(options: LogOptions): void {
  threshold = options.level ?? threshold
  format = options.format ?? format
  show = options.show ?? show
}

/** Writes one line to standard error. `fields` must never hold a secret: the caller leaves credentials out. */
function write(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
  if (ORDER[level] < ORDER[threshold]) return
  if (format === "json") {
    writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
    return
  }
  const words = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  show(level, `${message}${words.join("")}`)
}

/** Messages beside the result, for who runs the program. Never throws for what it is told; a closed standard error does. */
export const log = {
  debug: (message: string, fields?: Record<string, unknown>) => write("debug", message, fields),
  info: (message: string, fields?: Record<string, unknown>) => write("info", message, fields),
  warn: (message: string, fields?: Record<string, unknown>) => write("warn", message, fields),
  error: (message: string, fields?: Record<string, unknown>) => write("error", message, fields),
}
