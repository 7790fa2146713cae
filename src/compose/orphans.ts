import { LABEL } from "./labels.ts"
import type { ProjectContainer } from "./project-containers.ts"
import type { Project } from "./project.ts"

/**
 * Containers of the project that belong to nothing in its files: their service is not there, not even among those that profiles leave out;
 * or they are one-offs that have ended. A project of the same name elsewhere is another one: its containers are nobody's to remove here
 * (docker/compose#7969).
 */
export function orphansOf(project: Project, found: readonly ProjectContainer[]): ProjectContainer[] {
  return found.filter((one) => isOrphan(project, one) && isOfSameDirectory(project, one))
}

function isOrphan(project: Project, { service, isOneOff, container }: ProjectContainer): boolean {
  if (isOneOff) return container.state.status === "exited"
  return !Object.hasOwn(project.services, service) && !Object.hasOwn(project.disabledServices, service)
}

function isOfSameDirectory({ workingDirectory }: Project, { container }: ProjectContainer): boolean {
  const from = container.options.labels[LABEL.workingDirectory]
  return from === undefined || from === "" || from === workingDirectory
}
