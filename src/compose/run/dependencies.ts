import { FailedPrecondition, isSkiffError, NotFound } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Dependency, Project, Service } from "../project.ts"
import type { VerbOptions } from "../verbs.ts"
import { each, subjectOf } from "./act.ts"

/** What is waited for: a dependency's condition, or, by `--wait`, that it runs and is healthy where it has a check. */
export type WaitedCondition = Dependency["condition"] | "running_or_healthy"

/** Where to look, and for how long. */
export interface DependencyWait extends VerbOptions {
  containers: Containers
  project: Project
  /** Those of a service. */
  containersOf(service: string): readonly ProjectContainer[]
}

/** A dependency by its condition. */
type Conditions = Readonly<Record<string, Pick<Dependency, "required"> & { condition: WaitedCondition }>>

/**
 * Waits until all conditions hold, at once. Throws FailedPrecondition, in docker's words, when one cannot any more; where it is not
 * required a warning is said and it is gone on. In a dry run everything holds.
 */
export async function waitForDependencies(
  dependent: string,
  conditions: Conditions,
  wait: DependencyWait,
): Promise<void> {
  await each(Object.entries(conditions), {}, async ([service, { condition, required }]) => {
    const wanted = wait.project.services[service]
    if (condition === "service_started" || wanted === undefined || isNotRun(wanted)) return
    const found = wait.containersOf(service)
    if (found.length === 0) {
      if (required) throw new NotFound(`${dependent} is missing dependency ${service}`, { data: { service } })
      log.warn(`${dependent} is missing dependency ${service}`)
      return
    }
    try {
      await each(found, {}, (one) => waitForOne(one, condition, wait))
    } catch (error) {
      if (required || !isSkiffError(error, "FailedPrecondition")) throw error
      const detail = /^service ".*" (didn't complete .*)/.test(error.message)
        ? `optional dependency ${error.message.replace(/^service /, "")}`
        : `optional dependency "${service}" failed to start: ${error.message}`
      for (const one of found) wait.onEvent?.({ ...subjectOf(one), state: "Skipped", detail })
      log.warn(detail)
    }
  })
}

/** None of its containers is meant to be there. */
function isNotRun({ scale, deploy, provider }: Service): boolean {
  return provider !== undefined || (scale ?? deploy?.replicas) === 0
}

async function waitForOne(one: ProjectContainer, condition: WaitedCondition, wait: DependencyWait): Promise<void> {
  const tell = (state: "Waiting" | "Healthy" | "Exited" | "Error", detail?: string) =>
    wait.onEvent?.({ ...subjectOf(one), state, ...(detail === undefined ? {} : { detail }) })
  tell("Waiting")
  try {
    if (wait.dryRun !== true) {
      if (condition === "service_completed_successfully") await waitForCompletion(one, wait)
      else await waitForHealth(one, condition, wait)
    }
  } catch (error) {
    if (isSkiffError(error, "FailedPrecondition")) tell("Error", error.message)
    throw error
  }
  tell(condition === "service_completed_successfully" ? "Exited" : "Healthy")
}

async function waitForCompletion(
  { container, service }: ProjectContainer,
  { containers, signal }: DependencyWait,
): Promise<void> {
  const { exitCode } = await containers.waitForState(container.id, ["exited", "removed"], { signal })
  if (exitCode !== 0)
    throw new FailedPrecondition(`service "${service}" didn't complete successfully: exit ${exitCode ?? "unknown"}`, {
      hint: { do: "logs", container: container.name },
      data: { service, exitCode },
    })
}

async function waitForHealth(
  { container, service }: ProjectContainer,
  condition: WaitedCondition,
  { containers, signal }: DependencyWait,
): Promise<void> {
  const { id, name } = container
  const { health, state } = containers.get(id)
  if (health === undefined && state.status !== "exited") {
    if (condition === "running_or_healthy") {
      if (state.status === "running") return
    } else throw failed(service, `container ${name} has no healthcheck configured`, { do: "logs", container: name })
  }
  const ends =
    health === undefined
      ? (["running", "exited", "removed"] as const)
      : (["healthy", "unhealthy", "exited", "removed"] as const)
  const { state: reached, exitCode } = await containers.waitForState(id, ends, { signal })
  if (reached === "healthy" || reached === "running") return
  // a job that has done what it was for: docker calls it a failure, and nobody else does
  if (condition === "running_or_healthy" && reached === "exited" && exitCode === 0 && isJob(container)) return
  const what =
    reached === "unhealthy"
      ? "is unhealthy"
      : reached === "removed"
        ? "was removed"
        : `exited (${exitCode ?? "unknown"})`
  throw failed(service, `container ${name} ${what}`, { do: "logs", container: name })
}

function isJob({ options }: ProjectContainer["container"]): boolean {
  return options.restart.name === "no" || options.restart.name === "on-failure"
}

function failed(service: string, message: string, hint: { do: "logs"; container: string }): FailedPrecondition {
  return new FailedPrecondition(`dependency failed to start: ${message}`, { hint, data: { service } })
}
