import { InvalidArgument } from "../../base/errors.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import type { ProbeProgram } from "../../runtime/runtime.ts"
import type { ContainerSpec } from "../record.ts"
import type { HealthAction, HealthLogOptions, HealthOptions, HealthRequest } from "./health.ts"

type Healthcheck = NonNullable<ImageRunConfig["Healthcheck"]>

/** One program that is run on time. Times are milliseconds. */
export interface CheckPlan {
  program: ProbeProgram
  /** Asked in its place. */
  request?: HealthRequest
  intervalMs: number
  timeoutMs: number
  retries: number
}

/** Everything that a container's health is decided by, with all defaults. */
export interface HealthPlan extends CheckPlan {
  startPeriodMs: number
  startIntervalMs: number
  manual: boolean
  onFailure?: HealthAction
  startup?: CheckPlan & { successes: number }
  readiness?: Omit<CheckPlan, "intervalMs">
  log: Required<Pick<HealthLogOptions, "maxCount" | "maxBytes" | "events">> & { directory?: string }
}

const DEFAULT_INTERVAL_MS = 30_000
const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_START_INTERVAL_MS = 5_000
const DEFAULT_RETRIES = 3
const DEFAULT_LOG_COUNT = 5
const DEFAULT_LOG_BYTES = 4096
/** An image must not have us check it on and on: this is the least, and setTimeout's most. */
const SHORTEST_MS = 20
const LONGEST_MS = 2 ** 31 - 1
const NANOSECONDS = 1_000_000

/**
 * The image's check with what the options say over it, as the image's config would have it. Undefined: none is defined. Pure.
 * Throws InvalidArgument.
 */
export function mergeHealthcheck(
  image: ImageRunConfig["Healthcheck"],
  options: HealthOptions = {},
): ImageRunConfig["Healthcheck"] {
  if (options.disabled) return { Test: ["NONE"] }
  checkTimes(options)
  const own: Healthcheck = {
    Test: options.test,
    Interval: nanoseconds(options.intervalMs),
    Timeout: nanoseconds(options.timeoutMs),
    StartPeriod: nanoseconds(options.startPeriodMs),
    StartInterval: nanoseconds(options.startIntervalMs),
    Retries: options.retries,
  }
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) as Healthcheck
  if (Object.keys(given).length === 0) return image
  // another test is another check: the image's times were measured for its own, but docker keeps them, too
  return { ...image, ...given }
}

function checkTimes({ intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries }: HealthOptions): void {
  const times = [
    ["health.interval", intervalMs],
    ["health.timeout", timeoutMs],
    ["health.startPeriod", startPeriodMs],
    ["health.startInterval", startIntervalMs],
  ] as const
  for (const [field, value] of times)
    if (value !== undefined && (value < 0 || (value > 0 && value < 1)))
      throw new InvalidArgument("a time of a health check cannot be less than 1ms", { field })
  if (retries !== undefined && retries < 0)
    throw new InvalidArgument("retries of a health check cannot be negative", { field: "health.retries" })
}

function nanoseconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * NANOSECONDS)
}

/** Undefined: the container has no check. Pure. */
export function healthPlan({ run, options }: Pick<ContainerSpec, "run" | "options">): HealthPlan | undefined {
  const { healthcheck, shell } = run
  const program = probeProgram(healthcheck?.Test, shell)
  if (program === undefined) return undefined
  const { manual = false, request, onFailure, startup, readiness, log = {} } = options.health ?? {}
  return {
    program,
    ...(request === undefined ? {} : { request }),
    intervalMs: milliseconds(healthcheck?.Interval, DEFAULT_INTERVAL_MS),
    timeoutMs: milliseconds(healthcheck?.Timeout, DEFAULT_TIMEOUT_MS),
    startPeriodMs: Math.max(0, (healthcheck?.StartPeriod ?? 0) / NANOSECONDS),
    startIntervalMs: milliseconds(healthcheck?.StartInterval, DEFAULT_START_INTERVAL_MS),
    retries: healthcheck?.Retries || DEFAULT_RETRIES,
    manual,
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(startup === undefined ? {} : { startup: startupPlan(startup, shell) }),
    ...(readiness === undefined ? {} : { readiness: readinessPlan(readiness, shell) }),
    log: {
      maxCount: log.maxCount ?? DEFAULT_LOG_COUNT,
      maxBytes: log.maxBytes ?? DEFAULT_LOG_BYTES,
      events: log.events ?? false,
      ...(log.directory === undefined ? {} : { directory: log.directory }),
    },
  }
}

function readinessPlan(
  { test, request, timeoutMs, retries }: NonNullable<HealthOptions["readiness"]>,
  shell: readonly string[] | undefined,
): HealthPlan["readiness"] {
  return {
    program: probeProgram(test, shell) ?? { words: [] },
    ...(request === undefined ? {} : { request }),
    timeoutMs: bounded(timeoutMs || DEFAULT_TIMEOUT_MS),
    retries: retries || DEFAULT_RETRIES,
  }
}

function startupPlan(
  { test, request, intervalMs, timeoutMs, retries = 0, successes = 0 }: NonNullable<HealthOptions["startup"]>,
  shell: readonly string[] | undefined,
): HealthPlan["startup"] {
  return {
    program: probeProgram(test, shell) ?? { words: [] },
    ...(request === undefined ? {} : { request }),
    intervalMs: bounded(intervalMs || DEFAULT_INTERVAL_MS),
    timeoutMs: bounded(timeoutMs || DEFAULT_TIMEOUT_MS),
    retries,
    successes: Math.max(1, successes),
  }
}

/** Docker's forms: `NONE`, `CMD` and words, `CMD-SHELL` and one text; no words at all: nothing is said. */
function probeProgram([kind, ...words]: readonly string[] = [], shell?: readonly string[]): ProbeProgram | undefined {
  if (kind === undefined || kind === "" || kind === "NONE") return undefined
  if (kind === "CMD") return words.length === 0 ? undefined : { words }
  const [text = ""] = kind === "CMD-SHELL" ? words : [kind]
  return shell === undefined || shell.length === 0 ? { text } : { words: [...shell, text] }
}

/** 0 is "not given", in images as in flags. */
function milliseconds(value: number | undefined, initial: number): number {
  return bounded(value ? value / NANOSECONDS : initial)
}

function bounded(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms))
}
