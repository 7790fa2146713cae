import type { Project, Service } from "../project.ts"
import type { ServiceContext } from "./service-context.ts"

type Named = Pick<ServiceContext, "separator"> & { project: Pick<Project, "name">; key: string; service: Service }

/** `P-S-N`, or the service's own. */
export function containerName({ project, key, service, separator }: Named, number: number): string {
  return service.container_name ?? [project.name, key, number].join(separator)
}

/** The image that its containers are made from: its own, or the one that is built for it, `P-S`. */
export function imageName({ project, key, service, separator }: Named): string {
  return service.image ?? [project.name, key].join(separator)
}

/** How many containers it shall have. */
export function replicasOf({ scale, deploy }: Service): number {
  return scale ?? deploy?.replicas ?? 1
}
