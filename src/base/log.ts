import { writeSync } from "node:fs"
import { printable } from "./printable.ts"

export type LogLevel = "debug" | "info" | "warn" | "error"

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
let threshold: LogLevel = "warn"
let format: "text" | "json" = "text"

/** Sets what is written, once, by the front end (`--log-level`, `--debug`). */
export function configureLog(options: { level?: LogLevel; format?: "text" | "json" }): void {
  threshold = options.level ?? threshold
  format = options.format ?? format
}

/** Writes one line to standard error; what strangers named is harmless in it. `fields` must never hold a secret: the caller leaves credentials out. */
function write(level: LogLevel, message: string, fields: Record<string, unknown> = {}): void {
  if (ORDER[level] < ORDER[threshold]) return
  const line =
    format === "json"
      ? JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })
      : `skiff: ${level}: ${message}${Object.entries(fields)
          .map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
          .join("")}`
  // writeSync, not process.stderr: the first touch of a process stream costs 8 ms of start-up
  writeSync(2, `${printable(line)}\n`)
}

export const log = {
  debug: (message: string, fields?: Record<string, unknown>) => write("debug", message, fields),
  info: (message: string, fields?: Record<string, unknown>) => write("info", message, fields),
  warn: (message: string, fields?: Record<string, unknown>) => write("warn", message, fields),
  error: (message: string, fields?: Record<string, unknown>) => write("error", message, fields),
}
