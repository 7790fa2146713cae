import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import type { ComposeDeps } from "../deps.ts"
import { checkServices } from "../dependency-order.ts"
import { readProject } from "../from-containers.ts"
import { projectContainers, type ProjectContainer } from "../project-containers.ts"
import type { Project } from "../project.ts"
import type { Target } from "../verbs.ts"

/** A target as verbs work on it. */
export interface OpenTarget {
  readonly containers: Containers
  readonly project: Project
  /** Of the project, one-offs too, by name. */
  readonly all: readonly ProjectContainer[]
  /** Named by the caller; empty: all. */
  readonly services: readonly string[]
}

/**
 * Looks at what there is. Throws NotFound for a service that the project does not have. With `lenient`, where no files tell which it
 * has, that is a warning alone, as for docker: its containers may be gone already.
 */
export async function openTarget(
  deps: ComposeDeps,
  { name, project, services = [] }: Target,
  { lenient = false }: { lenient?: boolean } = {},
): Promise<OpenTarget> {
  const containers = await deps.containers()
  const known = project ?? (await readProject(deps, name))
  if (project !== undefined || !lenient) checkServices(known, services)
  for (const service of services) if (!Object.hasOwn(known.services, service)) log.warn(`no such service: ${service}`)
  return { containers, project: known, all: projectContainers(containers, name), services }
}

/** Of the named services, or of all that the project has. */
export function isChosen({ project, services }: OpenTarget): (one: ProjectContainer) => boolean {
  const named = new Set(services.length > 0 ? services : Object.keys(project.services))
  return ({ service }) => named.has(service)
}

/** Containers of a service, without its one-offs. */
export function regularOf({ all }: Pick<OpenTarget, "all">, service: string): ProjectContainer[] {
  return all.filter((one) => one.service === service && !one.isOneOff)
}

/** Whether it has a process: paused ones do. */
export function isUp({ container }: ProjectContainer): boolean {
  return container.state.status === "running" || container.state.status === "paused"
}
