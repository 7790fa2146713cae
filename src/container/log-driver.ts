import { InvalidArgument } from "../base/errors.ts"
import { parseSize } from "../base/sizes.ts"
import type { MonitorOptions } from "../runtime/runtime.ts"
import type { ResolvedOptions } from "./container.ts"
import { logLimits, prepareLog, type LogLimits } from "./log-history.ts"
import type { ContainerSpec } from "./record.ts"

/** Drivers that write a file which `logs` reads: one format, under each name that people's scripts use. */
const FILE_DRIVERS = ["json-file", "local", "k8s-file"]
/** All files of a container's log together, unless it is created with another size: a chatty program shall not fill the disk. */
export const DEFAULT_LOG_BYTES = 50_000_000
const FILE_OPTIONS = ["max-size", "max-file", "tag"]

/** Checks `--log-driver` and `--log-opt`. Throws InvalidArgument. */
export function checkLogOptions({ driver, options }: ResolvedOptions["log"]): void {
  const known = FILE_DRIVERS.includes(driver) ? FILE_OPTIONS : driver === "journald" ? ["tag"] : []
  if (known.length === 0 && driver !== "none")
    throw new InvalidArgument(`unknown log driver "${driver}"`, {
      field: "log.driver",
      hint: { valid: [...FILE_DRIVERS, "journald", "none"] },
    })
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name))
      throw new InvalidArgument(`unknown log option "${name}" for the driver "${driver}"`, {
        field: "log.options",
        hint: known.length === 0 ? "it has none" : { valid: known },
      })
    if (name === "max-size" && value !== "-1" && parseSize(value, "log option max-size") === 0)
      throw new InvalidArgument(`invalid log option max-size "${value}"`, {
        field: "log.options",
        hint: "expected a size such as 10m, or -1 for no limit",
      })
    if (name === "max-file" && !/^[1-9]\d{0,3}$/.test(value))
      throw new InvalidArgument(`invalid log option max-file "${value}"`, {
        field: "log.options",
        hint: "expected a number from 1",
      })
    if (value.includes("\n")) throw new InvalidArgument(`invalid log option ${name}: it holds a line break`)
  }
  if (options["max-file"] !== undefined && options["max-size"] === undefined)
    throw new InvalidArgument("log option max-file has no effect without max-size", { hint: "set both" })
}

/** Whether `logs` can read what the driver keeps. */
export function writesLogFile(driver: string): boolean {
  return FILE_DRIVERS.includes(driver)
}

/** What the monitor is told; makes the files ready that it will write. The caller holds the container's lock. */
export function monitorLog({ options, logPath }: ContainerSpec): MonitorOptions["log"] {
  const { driver, options: words } = options.log
  if (!writesLogFile(driver)) return { driver: driver === "journald" ? "journald" : "none", tag: words.tag }
  const limits = limitsOf(words)
  return {
    driver: "k8s-file",
    path: logPath,
    ...(limits === undefined || logPath === undefined
      ? {}
      : { limit: { maxBytes: limits.fileBytes, freeBytes: prepareLog(logPath, limits) } }),
  }
}

/** Undefined: none. Docker's words: files of `max-size`, as many as `max-file`. */
function limitsOf({ "max-size": size, "max-file": files }: Record<string, string>): LogLimits | undefined {
  if (size === "-1") return undefined
  if (size === undefined) return logLimits(DEFAULT_LOG_BYTES, 1)
  const count = Number(files ?? 1)
  return logLimits(parseSize(size) * count, count)
}
