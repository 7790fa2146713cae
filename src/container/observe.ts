import { existsSync, readFileSync, statSync } from "node:fs"
import { isAlive, type Pid, type StartTime } from "../sys/process/process.ts"
import type { Container, ContainerState } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { healthPlan } from "./health/plan.ts"
import { exitFile } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"
import type { ContainerPulse } from "./records.ts"

/** The end of a container of which nobody could write the exit code down: monitor or machine died first. */
export const UNKNOWN_EXIT_CODE = 255

type Observer = Pick<ContainerDeps, "runRoot" | "bootId">

/**
 * Whether the container runs: same boot, and its first process is there. Between that one's end and the exit file lie the
 * milliseconds in which the monitor reads the last output: as long as it is at work, the end is not there yet.
 */
export function isRunning(record: ContainerPulse, { bootId, runRoot }: Observer): boolean {
  const { state, status } = record
  if ((status !== "running" && status !== "paused") || state.bootId !== bootId) return false
  if (isProcess(state.pid, state.pidStartTime)) return true
  return !existsSync(exitFile({ runRoot }, record.id)) && isProcess(state.monitorPid, state.monitorStartTime)
}

/** Whether its program waits for the start: `init` has made all else, in this boot. */
export function isHeld({ status, state }: ContainerPulse, { bootId }: Pick<Observer, "bootId">): boolean {
  return status === "initialized" && state.bootId === bootId && isProcess(state.pid, state.pidStartTime)
}

function isProcess(pid: Pid | undefined, startTime: StartTime | undefined): boolean {
  return pid !== undefined && startTime !== undefined && isAlive(pid, startTime)
}

/** How and when a container ended that is written down as running; what is not known is said in `error`. */
export interface ObservedExit {
  exitCode: number
  finishedAt: number
  error?: string
  /** Why the code is not known, or not the program's. */
  unknown?: "reboot" | "monitor" | "timeout"
}

/** Reads the monitor's exit file. Call it only when the container does not run. */
export function observeExit(record: ContainerRecord, { runRoot, bootId }: Observer): ObservedExit {
  if (record.state.bootId !== bootId)
    return {
      exitCode: UNKNOWN_EXIT_CODE,
      finishedAt: bootTime(),
      error: "the host was rebooted",
      unknown: "reboot",
    }
  const path = exitFile({ runRoot }, record.id)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat)
    return {
      exitCode: UNKNOWN_EXIT_CODE,
      finishedAt: Date.now(),
      error: "the monitor died before the container",
      unknown: "monitor",
    }
  const exitCode = Number(readFileSync(path, "latin1"))
  const finishedAt = Math.round(stat.mtimeMs)
  if (exitCode >= 0) return { exitCode, finishedAt }
  const { runTimeoutSeconds } = record.spec.options
  const error = `killed after its ${runTimeoutSeconds} seconds to run`
  return { exitCode: UNKNOWN_EXIT_CODE, finishedAt, error, unknown: "timeout" }
}

/** The latest that a process of an earlier boot can have ended. */
function bootTime(): number {
  const [uptimeSeconds] = readFileSync("/proc/uptime", "latin1").split(" ")
  return Date.now() - Math.round(Number(uptimeSeconds) * 1000)
}

/** The record as the contract shows it, in line with the kernel. Changes nothing. `running`: for who has looked already. */
export function toContainer(
  record: ContainerRecord,
  observer: Observer,
  running: boolean = isRunning(record, observer),
): Container {
  const { spec, state } = record
  return {
    id: record.id,
    name: record.name,
    imageId: record.imageId,
    imageName: spec.imageName,
    createdAt: new Date(record.createdAt),
    labels: spec.run.labels,
    options: spec.options,
    state: observeState(record, observer, running),
    restartCount: state.restartCount,
    ...healthOf(record, running),
    attachments: state.attachments,
    ...(running && state.sandboxAttachments !== undefined ? { sandboxAttachments: state.sandboxAttachments } : {}),
    argv: [...spec.run.entrypoint, ...spec.run.command],
    runtime: spec.runtime,
    ...endingOf(record, observer, running),
    ...(spec.logPath === undefined ? {} : { logPath: spec.logPath }),
  }
}

/** As written down; between an end and the clean-up that writes it down, as far as the exit file alone makes it certain. */
function endingOf(record: ContainerRecord, observer: Observer, running: boolean): Pick<Container, "ending"> {
  const { status, state, spec } = record
  if (state.ending !== undefined) return { ending: state.ending }
  if ((status !== "running" && status !== "paused") || running) return {}
  const { exitCode, unknown } = observeExit(record, observer)
  if (unknown === "timeout") return { ending: { by: unknown, exitCode, seconds: spec.options.runTimeoutSeconds ?? 0 } }
  if (unknown !== undefined) return { ending: { by: unknown, exitCode } }
  return exitCode === 0 && state.sentSignal === undefined ? { ending: { by: "itself", exitCode } } : {}
}

/** Docker's: what does not run is not healthy. */
function healthOf(record: ContainerRecord, running: boolean): Pick<Container, "health"> {
  const { spec, state, health } = record
  // most have none, and need no more than this look
  if (spec.run.healthcheck === undefined || healthPlan(spec) === undefined) return {}
  if (state.startedAt === undefined) return { health: "starting" }
  if (!running) return { health: "unhealthy" }
  return { health: health?.startedAt === state.startedAt ? health.status : "starting" }
}

function observeState(record: ContainerRecord, observer: Observer, running: boolean): ContainerState {
  const { status, state } = record
  const startedAt = new Date(state.startedAt ?? 0)
  switch (status) {
    case "created":
    case "starting":
      return { status: "created" }
    case "initialized": {
      const { pid, monitorPid } = state
      if (!isHeld(record, observer) || pid === undefined || monitorPid === undefined) return { status: "created" }
      return { status: "created", initialized: { pid, monitorPid } }
    }
    case "removing":
      return { status: "removing" }
    case "running":
    case "paused": {
      if (running && state.pid !== undefined && state.monitorPid !== undefined)
        return { status, pid: state.pid, monitorPid: state.monitorPid, startedAt }
      const { exitCode, finishedAt, error } = observeExit(record, observer)
      return { status: "exited", exitCode, startedAt, finishedAt: new Date(finishedAt), oomKilled: false, error }
    }
    case "restarting":
    case "exited": {
      const exitCode = state.exitCode ?? 0
      const finishedAt = new Date(state.finishedAt ?? 0)
      if (status === "restarting" && state.bootId === observer.bootId)
        return { status, exitCode, finishedAt, startedAt }
      const { oomKilled = false, error } = state
      return { status: "exited", exitCode, finishedAt, startedAt, oomKilled, error }
    }
  }
}
