import { randomHex } from "../../base/random-hex.ts"
import { COMPOSE_VERSION, LABEL } from "../labels.ts"
import type { Project, Service } from "../project.ts"
import type { ServiceContext } from "./service-context.ts"

/** What the labels of a new container say beside what the project says. */
export interface ContainerIdentity {
  /** Of a one-off: its slug. */
  slug?: string
  number: number
  configHash: string
  imageId: string
  /** Name of the one that it replaces. */
  replaces?: string
}

/** Docker compose's labels of a container, over the service's own (facts: docker compose 2.40, pkg/api/labels.go). */
export function containerLabels(
  { project, key, service }: Pick<ServiceContext, "project" | "key" | "service">,
  identity: ContainerIdentity,
): Record<string, string> {
  const { slug, number, configHash, imageId, replaces } = identity
  return {
    ...service.labels,
    ...projectLabels(project),
    [LABEL.service]: key,
    [LABEL.version]: COMPOSE_VERSION,
    ...(slug === undefined ? { [LABEL.number]: String(number) } : { [LABEL.slug]: slug }),
    [LABEL.oneOff]: slug === undefined ? "False" : "True",
    [LABEL.configHash]: configHash,
    [LABEL.image]: imageId,
    [LABEL.dependsOn]: dependsOnLabel(service),
    ...(replaces === undefined ? {} : { [LABEL.replace]: replaces }),
  }
}

/** Where the project is from. */
export function projectLabels(
  project: Pick<Project, "name" | "workingDirectory" | "files" | "environmentFiles">,
): Record<string, string> {
  return {
    [LABEL.project]: project.name,
    [LABEL.workingDirectory]: project.workingDirectory,
    [LABEL.configFiles]: project.files.join(","),
    ...(project.environmentFiles.length > 0 && { [LABEL.environmentFile]: project.environmentFiles.join(",") }),
  }
}

/** `db:service_healthy:false,…`: verbs order containers by it without the file. */
function dependsOnLabel({ depends_on: dependencies = {} }: Service): string {
  return Object.entries(dependencies)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { condition, restart = false }]) => `${name}:${condition}:${restart}`)
    .join(",")
}

/** Of a new one-off: 64 hex digits, of which 12 are in its name. */
export function newSlug(): string {
  return randomHex(32)
}
