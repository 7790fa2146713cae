import { existsSync } from "node:fs"
import { dirname, isAbsolute } from "node:path"
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import { parseSize } from "../base/sizes.ts"
import type { MonitorOptions } from "../runtime/runtime.ts"
import type { ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { forgetHistory, logLimits, prepareLog, tendLog, type LogLimits } from "./log-history.ts"
import type { ContainerRecord, ContainerSpec } from "./record.ts"

/** Drivers that write a file which `logs` reads: one format, under each name that people's scripts use. */
const FILE_DRIVERS = ["k8s-file", "json-file", "local"]
/** All files of a container's log together, unless it is created with another size: a chatty program shall not fill the disk. */
export const DEFAULT_LOG_BYTES = 50_000_000
/** What each driver may be told. `env` and `labels` name what `logs` shows as details. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    FILE_DRIVERS.map((name) => [name, ["max-size", "max-file", "path", "tag", "env", "labels"]] as const),
  ),
  journald: ["tag", "env", "labels"],
  none: [],
  passthrough: [],
}
const JOURNAL_SOCKET = "/run/systemd/journal/socket"

/** Checks `--log-driver` and `--log-opt`. Throws InvalidArgument, FailedPrecondition where this host cannot do it. */
export function checkLogOptions({ log: { driver, options }, tty }: Pick<ResolvedOptions, "log" | "tty">): void {
  const known = Object.hasOwn(OPTIONS, driver) ? OPTIONS[driver] : undefined
  if (known === undefined)
    throw new InvalidArgument(`unknown log driver "${driver}"`, {
      field: "log.driver",
      hint: { valid: Object.keys(OPTIONS) },
    })
  if (driver === "passthrough" && tty)
    throw new InvalidArgument(`the log driver "passthrough" hands on our own streams: there is no terminal to be had`, {
      field: "log.driver",
      hint: "leave the terminal away, or use another driver",
    })
  if (driver === "journald" && !existsSync(JOURNAL_SOCKET))
    throw new FailedPrecondition(`the log driver "journald" needs journald, which does not run here`, {
      field: "log.driver",
      hint: { do: "set", field: "log.driver", value: "k8s-file" },
    })
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name))
      throw new InvalidArgument(`unknown log option "${name}" for the driver "${driver}"`, {
        field: "log.options",
        hint: known.length === 0 ? "it has none" : { valid: known },
      })
    checkLogOption(name, value)
  }
  if (options["max-file"] !== undefined && options["max-size"] === undefined)
    throw new InvalidArgument("log option max-file has no effect without max-size", { hint: "set both" })
}

function checkLogOption(name: string, value: string): void {
  const fail = (expected: string): never => {
    throw new InvalidArgument(`invalid log option ${name} "${value}"`, { field: "log.options", hint: expected })
  }
  if (value.includes("\n")) throw new InvalidArgument(`invalid log option ${name}: it holds a line break`)
  if (name === "max-size" && value !== "-1" && parseSize(value, "log option max-size") === 0)
    fail("expected a size such as 10m, or -1 for no limit")
  if (name === "max-file" && !/^[1-9]\d{0,3}$/.test(value)) fail("expected a number from 1")
  if (name === "path" && (!isAbsolute(value) || !existsSync(dirname(value))))
    fail("expected an absolute path, in a directory that is there")
}

/** Where the log of container `id` is; undefined when its driver writes no file. */
export function logPathFor(stateDirectory: string, { driver, options }: ResolvedOptions["log"]): string | undefined {
  return FILE_DRIVERS.includes(driver) ? (options.path ?? `${stateDirectory}/container.log`) : undefined
}

/** What the monitor is told; makes the files ready that it will write. The caller holds the container's lock. */
export function monitorLog({ options, logPath }: ContainerSpec): MonitorOptions["log"] {
  const { driver, options: words } = options.log
  if (driver === "journald" || driver === "passthrough" || driver === "none") return { driver, tag: words.tag }
  const limits = limitsOf(words)
  return {
    driver: "k8s-file",
    path: logPath,
    ...(limits === undefined || logPath === undefined
      ? {}
      : { limit: { maxBytes: limits.fileBytes, freeBytes: prepareLog(logPath, limits) } }),
  }
}

/**
 * Keeps the files that conmon has filled, as many as there may be; who reads a log does it, and the supervisor.
 * Who is at work on the container is left alone.
 */
export function tendLogOf(deps: Pick<ContainerDeps, "locks">, { id, spec }: ContainerRecord): void {
  const { logPath, options } = spec
  const limits = limitsOf(options.log.options)
  // conmon makes its next file of this name, when it is full: as long as it is there, nothing was filled
  if (logPath === undefined || limits === undefined || existsSync(`${logPath}.tmp`) || !existsSync(logPath)) return
  using lock = deps.locks.tryAcquire(id)
  if (lock) tendLog(logPath, limits)
}

/** Undefined: none. Docker's words: files of `max-size`, as many as `max-file`. */
function limitsOf({ "max-size": size, "max-file": files }: Record<string, string>): LogLimits | undefined {
  if (size === "-1") return undefined
  if (size === undefined) return logLimits(DEFAULT_LOG_BYTES, 1)
  const count = Number(files ?? 1)
  return logLimits(parseSize(size) * count, count)
}

/** The names that only we know of a log that the user keeps elsewhere; the file itself is theirs. Safe to repeat. */
export function releaseLog({ spec }: ContainerRecord): void {
  const { path } = spec.options.log.options
  if (path !== undefined && spec.logPath === path) forgetHistory(path)
}
