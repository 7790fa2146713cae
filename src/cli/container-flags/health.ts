import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions, HealthLogOptions, HealthOptions } from "../../container/container.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Docker's and podman's flags on health checks, of `run`, `create` and `update`. */
export const HEALTH_FLAGS = {
  healthCmd: flag.of(readTest, "Command to run to check health", "string"),
  healthInterval: flag.of(readInterval, "Time between running the check ('disable': only when asked to)", "duration"),
  healthLogDestination: flag.of(
    readDestination,
    "Where results of checks go, too: 'local', 'events_logger', or a directory",
    "string",
  ),
  healthMaxLogCount: flag.of(readCount, "Number of results that are kept (0: all; default 5)", "uint"),
  healthMaxLogSize: flag.of(readCount, "Bytes of output that are kept of a result (0: all; default 4096)", "uint"),
  healthOnFailure: flag.choice(
    ["none", "kill", "restart", "stop"],
    'What an unhealthy container gets ("none", "kill", "restart", "stop")',
  ),
  healthRetries: flag.int("Consecutive failures needed to report unhealthy"),
  healthStartInterval: flag.duration("Time between running the check during the start period"),
  healthStartPeriod: flag.duration(
    "Start period for the container to initialize before starting health-retries countdown",
  ),
  healthStartupCmd: flag.of(readTest, "Command that must succeed before the health check begins", "string"),
  healthStartupInterval: flag.duration("Time between running the startup check"),
  healthStartupRetries: flag.of(readCount, "Failures of the startup check after which the container restarts", "uint"),
  healthStartupSuccess: flag.of(readCount, "Successes of the startup check that it takes", "uint"),
  healthStartupTimeout: flag.duration("Maximum time to allow one startup check"),
  healthTimeout: flag.duration("Maximum time to allow one check to run"),
  noHealthcheck: flag.bool("Disable any container-specified HEALTHCHECK"),
}

type HealthFlags = FlagValues<typeof HEALTH_FLAGS>

/** What these flags ask for; nothing when none is given. Throws UsageError for flags that contradict each other. */
export function healthOptions(flags: HealthFlags): Pick<ContainerOptions, "health"> {
  const { noHealthcheck, healthCmd, healthInterval, healthOnFailure } = flags
  const health: HealthOptions = {
    ...(healthCmd === "none" ? { disabled: true } : healthCmd === undefined ? {} : { test: healthCmd }),
    ...(healthInterval === "disable" ? { manual: true } : defined({ intervalMs: healthInterval })),
    ...defined({
      timeoutMs: flags.healthTimeout,
      startPeriodMs: flags.healthStartPeriod,
      startIntervalMs: flags.healthStartInterval,
      retries: flags.healthRetries,
      onFailure: healthOnFailure === "none" ? undefined : healthOnFailure,
      startup: startupCheck(flags),
      log: logOptions(flags),
    }),
  }
  if (!noHealthcheck) return Object.keys(health).length === 0 ? {} : { health }
  // docker's words
  if (Object.keys(health).length > 0) throw new UsageError("--no-healthcheck conflicts with --health-* options")
  return { health: { disabled: true } }
}

/** What `update` changes of the check: there `--health-on-failure none` takes back what it had. Throws as `healthOptions`. */
export function healthChange(flags: HealthFlags): Pick<ContainerOptions, "health"> {
  const { health } = healthOptions(flags)
  if (flags.healthOnFailure !== "none") return health === undefined ? {} : { health }
  return { health: { ...health, onFailure: undefined } }
}

function startupCheck(flags: HealthFlags): HealthOptions["startup"] {
  const { healthStartupCmd: test } = flags
  const times = defined({
    intervalMs: flags.healthStartupInterval,
    timeoutMs: flags.healthStartupTimeout,
    retries: flags.healthStartupRetries,
    successes: flags.healthStartupSuccess,
  })
  if (test !== undefined && test !== "none") return { test, ...times }
  if (Object.keys(times).length > 0)
    throw new UsageError("flags of the startup check need --health-startup-cmd", {
      hint: "say what shall be run",
    })
  return undefined
}

function logOptions({ healthLogDestination, healthMaxLogCount, healthMaxLogSize }: HealthFlags): HealthOptions["log"] {
  const log = { ...healthLogDestination, ...defined({ maxCount: healthMaxLogCount, maxBytes: healthMaxLogSize }) }
  return Object.keys(log).length === 0 ? undefined : log
}

/** podman: `none`, words as JSON, or a text for the shell. */
function readTest(text: string): readonly string[] | "none" {
  if (text === "none") return text
  if (text === "") throw new InvalidArgument("must not be empty")
  if (!text.startsWith("[")) return ["CMD-SHELL", text]
  const words = parseWords(text)
  if (words === undefined) return ["CMD-SHELL", text]
  const [kind] = words
  if (kind === "NONE") return "none"
  return kind === "CMD" || kind === "CMD-SHELL" ? words : ["CMD", ...words]
}

/** `[ -e /x ]` is a shell's test, and no list. */
function parseWords(text: string): string[] | undefined {
  try {
    const words = JSON.parse(text) as unknown
    const isList = Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string")
    return isList ? (words as string[]) : undefined
  } catch {
    return undefined
  }
}

function readInterval(text: string): number | "disable" {
  return text === "disable" ? text : parseDuration(text)
}

function readDestination(text: string): HealthLogOptions {
  if (text === "local") return {}
  if (text === "events_logger") return { events: true }
  if (!text.startsWith("/")) throw new InvalidArgument("expected local, events_logger, or the path of a directory")
  return { directory: text }
}

function readCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgument("expected a whole number")
  return Number(text)
}
