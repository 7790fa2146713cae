/** Replaces containers that run as `deploy.update_config` says: a few at a time, each batch looked at before the next. */
import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import type { Step } from "../plan/service-plan.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Service, UpdateConfig } from "../project.ts"
import type { UpOptions } from "../up-options.ts"
import { act, each, subjectOf } from "./act.ts"
import type { Convergence } from "./convergence.ts"
import { startContainer } from "./start.ts"
import { stopContainer } from "./stop.ts"

interface Roll {
  convergence: Convergence
  containers: Containers
  key: string
  service: Service
  options: UpOptions
}

type Recreate = Extract<Step, { action: "recreate" }>

/** Of a new container, without a health check, that shall not fail at once. */
const MONITOR_MS = 1000

/** Throws FailedPrecondition when a new container fails, unless the file says to go on; with `rollback` the old one is back then. */
export async function rollService(roll: Roll, steps: readonly Step[]): Promise<void> {
  const config = roll.service.deploy?.update_config ?? {}
  const size = config.parallelism === undefined ? 1 : config.parallelism === 0 ? Infinity : config.parallelism
  const waiting = steps.filter((step): step is Recreate => step.action === "recreate")
  const delayMs = config.delay === undefined ? 0 : parseDuration(config.delay)
  while (waiting.length > 0) {
    const batch = waiting.splice(0, size)
    await each(batch, {}, (step) => replaceOne(roll, step, config))
    if (waiting.length > 0 && delayMs > 0) await sleep(delayMs, undefined, { signal: roll.options.signal })
  }
}

async function replaceOne(roll: Roll, step: Recreate, config: UpdateConfig): Promise<void> {
  const { convergence, options, key } = roll
  const old = step.container
  const isStartFirst = config.order === "start-first"
  await act(options, subjectOf(old), ["Recreate", "Recreated"], async () => {
    if (!isStartFirst) await stopContainer(contextOf(roll), old, { ...options, onEvent: undefined })
    const created = await convergence.createReplacement(key, step.number, old)
    try {
      await startContainer(roll, created, roll.service, { ...options, onEvent: undefined })
      await waitUntilGood(roll, created, config)
    } catch (error) {
      if (!isSkiffError(error) || error.code === "Cancelled") throw error
      if (config.failure_action !== "continue") {
        await takeBack(roll, old, created, config, isStartFirst)
        throw error
      }
      log.warn(`service "${key}": the new container is not well, and stays: ${error.message}`)
    }
    await convergence.replace(old, created)
  })
}

/** `rollback`: the old one goes on. Else (`pause`) both are left as they are, for who wants to know why. */
async function takeBack(
  roll: Roll,
  old: ProjectContainer,
  created: ProjectContainer,
  { failure_action: action }: UpdateConfig,
  isOldUp: boolean,
): Promise<void> {
  const { convergence, options } = roll
  if (action !== "rollback") return
  await convergence.remove(created)
  if (!isOldUp) await startContainer(roll, old, roll.service, { ...options, onEvent: undefined })
}

async function waitUntilGood(
  { containers, options }: Roll,
  one: ProjectContainer,
  config: UpdateConfig,
): Promise<void> {
  const { id, name } = one.container
  const hasCheck = containers.get(id).health !== undefined
  const monitorMs = config.monitor === undefined ? MONITOR_MS : parseDuration(config.monitor)
  const states = hasCheck ? (["healthy", "unhealthy", "exited", "removed"] as const) : (["exited", "removed"] as const)
  const limit = hasCheck
    ? options.signal
    : AbortSignal.any([AbortSignal.timeout(monitorMs), ...(options.signal ? [options.signal] : [])])
  try {
    const { state, exitCode } = await containers.waitForState(id, states, limit ? { signal: limit } : {})
    if (state === "healthy" || (state === "exited" && exitCode === 0)) return
    throw new FailedPrecondition(
      `container ${name} ${state === "unhealthy" ? "is unhealthy" : `exited (${exitCode ?? "unknown"})`}`,
      {
        hint: { do: "logs", container: name },
      },
    )
  } catch (error) {
    // it ran for as long as it was to be watched
    if (isSkiffError(error, "Cancelled") && options.signal?.aborted !== true) return
    throw error
  }
}

function contextOf({ containers, convergence, key, service }: Roll) {
  const { project } = convergence.context(key)
  return { containers, project: { ...project, services: { [key]: service } } }
}
