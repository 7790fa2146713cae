import type { Container, Containers } from "../container/container.ts"
import { LABEL } from "./labels.ts"

/** A container of a project, as its labels say. */
export interface ProjectContainer {
  readonly container: Container
  readonly project: string
  readonly service: string
  /** 0 of a one-off. */
  readonly number: number
  readonly isOneOff: boolean
  readonly configHash: string
}

/** Containers that compose made: all with the labels of a project and a hash, one-offs too, by name. `project` undefined: of all projects. */
export function projectContainers(containers: Containers, project?: string): ProjectContainer[] {
  const label = [project === undefined ? LABEL.project : `${LABEL.project}=${project}`, LABEL.configHash]
  return containers
    .list({ all: true, label })
    .map(asProjectContainer)
    .toSorted((a, b) => (a.container.name < b.container.name ? -1 : 1))
}

/** The same of containers that were read already. */
export function ofProject(containers: readonly Container[], project: string): ProjectContainer[] {
  return containers
    .filter(({ options: { labels } }) => labels[LABEL.project] === project && labels[LABEL.configHash] !== undefined)
    .map(asProjectContainer)
    .toSorted((a, b) => (a.container.name < b.container.name ? -1 : 1))
}

/** Of a container that has the labels. */
export function asProjectContainer(container: Container): ProjectContainer {
  const { labels } = container.options
  return {
    container,
    project: labels[LABEL.project] ?? "",
    service: labels[LABEL.service] ?? "",
    number: Number(labels[LABEL.number] ?? 0),
    isOneOff: labels[LABEL.oneOff] === "True",
    configHash: labels[LABEL.configHash] ?? "",
  }
}

/** The container's name without its project: `web-1`. */
export function nameInProject({ container, project }: Pick<ProjectContainer, "container" | "project">): string {
  const prefix = new RegExp(`^${project}[-_]`)
  return container.name.replace(prefix, "")
}
