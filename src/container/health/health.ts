/**
 * Whether what runs in a container does its work: a program is run in it now and then, and its exit code counts.
 *
 *   starting ─ exit code 0 ─▶ healthy ⇄ unhealthy        unhealthy after `retries` failures in a row
 *
 * Failures within the start period do not count while the container is still starting. Only a change of the status is written
 * into the records, with its event; the last results lie in a file of the run directory, as they change with every check.
 */
import type { Abortable } from "../abortable.ts"

/** Of a container with a check. */
export type HealthStatus = "starting" | "healthy" | "unhealthy"

/** What a container that has become unhealthy gets. */
export type HealthAction = "kill" | "restart" | "stop"

/** What this engine asks by itself in the network of the container's sandbox, by its loopback: the image needs no program for it. */
export type HealthRequest =
  | {
      kind: "http"
      scheme: "http" | "https"
      port: number
      path: string
      headers: readonly { name: string; value: string }[]
    }
  | { kind: "tcp"; port: number }
  | { kind: "grpc"; port: number; service: string }

/** A check that says whether it does its work, beside the one that says whether it is alive: what fails of it is told, and nothing is done. */
export interface ReadinessCheck {
  /** As `HealthOptions.test`. */
  test: readonly string[]
  request?: HealthRequest
  /** Default 30 s. */
  timeoutMs?: number
  /** Default 3. */
  retries?: number
}

/** `create`'s words on health; what is left out is the image's, or the default named here. */
export interface HealthOptions {
  /** No checks, the image's neither. */
  disabled?: boolean
  /** `["CMD", "program", …]`, or `["CMD-SHELL", text]` for the image's shell. */
  test?: readonly string[]
  /** In the place of `test`, which is kept for who reads it; of a container in a sandbox. */
  request?: HealthRequest
  /** Between the end of a check and the next. Default 30 s. */
  intervalMs?: number
  /** A check that takes longer has failed. Default 30 s. */
  timeoutMs?: number
  /** Default 0. */
  startPeriodMs?: number
  /** The interval within the start period. Default 5 s. */
  startIntervalMs?: number
  /** Default 3. */
  retries?: number
  /** Only when it is asked for: no timer runs. */
  manual?: boolean
  /** Default: none. */
  onFailure?: HealthAction
  startup?: StartupCheck
  /** After each success of the other one. */
  readiness?: ReadinessCheck
  log?: HealthLogOptions
}

/** A check that must succeed before the other one begins. */
export interface StartupCheck {
  /** As `HealthOptions.test`. */
  test: readonly string[]
  request?: HealthRequest
  /** Default 30 s. */
  intervalMs?: number
  /** Default 30 s. */
  timeoutMs?: number
  /** After so many failures in a row the container is restarted. Default 0: never. */
  retries?: number
  /** So many successes in a row it takes. Default 1. */
  successes?: number
}

/** Where results are kept, and how many. */
export interface HealthLogOptions {
  /** A directory of the host that gets the results as `<id>-healthcheck.log`. Default: the run directory. */
  directory?: string
  /** Each result is an event, too. */
  events?: boolean
  /** Default 5; 0: no bound. */
  maxCount?: number
  /** Of each result's output. Default 4096; 0: no bound but that of a pipe. */
  maxBytes?: number
}

/** How one check ended. Times are milliseconds since the epoch. */
export interface HealthResult {
  start: number
  end: number
  /** -1: it could not be run, or took too long; `output` says which. */
  exitCode: number
  output: string
}

/** What is known of the health of a container. */
export interface Health {
  status: HealthStatus
  /** Failures in a row. */
  failingStreak: number
  /** Oldest first. */
  log: readonly HealthResult[]
}

/** What a check came to. */
export interface CheckOutcome {
  succeeded: boolean
  /** Of the container, now that this is known, too. */
  status: HealthStatus
  failingStreak: number
}

/** Of a container that runs, for who checks it on time. Disposed, it takes its own processes out of the container. */
export interface HealthMonitor extends Disposable {
  /** Until the next check is due, from now on. */
  delayMs(): number
  /**
   * Runs the check, writes the result down, and acts on it where that was asked for. Undefined: the container does not run any
   * more, nothing was written. Throws nothing for what a check does; NotFound when the container is gone.
   */
  check(signal?: AbortSignal): Promise<CheckOutcome | undefined>
}

/** What a container needs somebody for who stays: the supervisor. */
export type Duty =
  | { kind: "check"; id: string; /** Tells one run from the next. */ startedAt: number }
  | { kind: "restart"; id: string; at: number }
  /** To be looked at now and then: see `HealthChecks.look`. */
  | { kind: "look"; id: string; startedAt: number }

/** The checks of containers, and all that somebody must stay for: the supervisor's view. */
export interface HealthChecks {
  /**
   * Runs a container's check once, now. Throws NotFound, Cancelled, and FailedPrecondition
   * when it does not run or has no check.
   */
  check(nameOrId: string, abortable?: Abortable): Promise<CheckOutcome>
  /** For a container with a duty to check it. */
  monitor(id: string): Promise<HealthMonitor>
  /** What there is to do, of all containers. */
  duties(): Duty[]
  /** Of one; undefined: nothing, or it is gone. */
  duty(id: string): Duty | undefined
  /** What no time is set for: keeps the log files that conmon has filled, and samples what containers use, where it is time to. */
  look(): Promise<void>
  /** Starts one whose back-off has passed. Does nothing when it was stopped, started or removed meanwhile. */
  restart(id: string): Promise<void>
}
