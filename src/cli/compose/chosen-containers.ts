import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { projectContainers, type Project, type ProjectContainer } from "../../compose/compose.ts"
import type { Containers } from "../../container/container.ts"

/** Which containers of a project a verb looks at. */
export interface ContainerChoice {
  /** By their services; empty: all. */
  services?: readonly string[]
  /** Those that do not run as well. */
  all?: boolean
  /** Those of `run` as well. */
  oneOffs?: boolean
}

/** By name. */
export function chosenContainers(
  containers: Containers,
  project: string,
  { services = [], all = false, oneOffs = false }: ContainerChoice = {},
): ProjectContainer[] {
  return projectContainers(containers, project).filter(
    ({ container, service, isOneOff }) =>
      (all || isUp(container.state.status)) &&
      (oneOffs || !isOneOff) &&
      (services.length === 0 || services.includes(service)),
  )
}

/** Docker's `running` filter: what restarts counts as well. */
function isUp(status: string): boolean {
  return status === "running" || status === "paused" || status === "restarting"
}

/** One container of a service: that of the index, else the first, one-offs last. Throws FailedPrecondition where there is none. */
export function oneOfService(
  containers: Containers,
  project: string,
  { service, index = 0, all = false }: { service: string; index?: number | undefined; all?: boolean },
): ProjectContainer {
  const found = chosenContainers(containers, project, { services: [service], all, oneOffs: true })
    .filter(({ number }) => index <= 0 || number === index)
    .toSorted((a, b) => Number(a.isOneOff) - Number(b.isOneOff) || a.number - b.number)
  const [first] = found
  if (first !== undefined) return first
  const suffix = index > 0 ? ` container #${index}` : ""
  throw new FailedPrecondition(`service "${service}" is not running${suffix}`)
}

/** Throws NotFound for a service that the files lack; a project that is known by its name alone has any. */
export function checkServices(project: Project | undefined, services: readonly string[]): void {
  const missing = project && services.find((service) => !Object.hasOwn(project.services, service))
  if (missing !== undefined) throw new NotFound(`no such service: ${missing}`)
}

/** `a-1` of `p-a-1`; the whole name of a container that has one of its own. */
export function shortName({ container, project, service, number }: ProjectContainer): string {
  const { name } = container
  const isDefault = ["-", "_"].some((separator) => name === [project, service, number].join(separator))
  return isDefault ? name.slice(project.length + 1) : name
}
