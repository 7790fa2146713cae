import type { ComposeDeps } from "./deps.ts"
import type { Network } from "../network/network.ts"
import type { Volume } from "../volume/volume.ts"
import { LABEL } from "./labels.ts"
import { projectContainers, type ProjectContainer } from "./project-containers.ts"
import type { Dependency, Project, ProjectNetwork, ProjectVolume, Service } from "./project.ts"

/** What there is of one project besides its containers; of other projects' it is left out. */
export interface ProjectResources {
  networks: readonly Network[]
  volumes: readonly Volume[]
}

/** `projectFromContainers` of what is there now. */
export async function readProject(deps: ComposeDeps, name: string): Promise<Project> {
  const [containers, networks, volumes] = await Promise.all([deps.containers(), deps.networks(), deps.volumes()])
  const resources = { networks: networks.list(), volumes: volumes.list() }
  return projectFromContainers(name, projectContainers(containers, name), resources)
}

/**
 * The project that these containers were made of, as far as their labels tell: its services with the images and dependencies, its networks
 * and volumes. Enough for all that is done with containers that are there.
 */
export function projectFromContainers(
  name: string,
  containers: readonly ProjectContainer[],
  { networks, volumes }: ProjectResources,
): Project {
  const labels = containers[0]?.container.options.labels ?? {}
  return {
    name,
    workingDirectory: labels[LABEL.workingDirectory] ?? "",
    files: [],
    environment: {},
    environmentFiles: [],
    profiles: [],
    services: servicesOf(containers),
    disabledServices: {},
    networks: keyed(
      networks.map((network) => [network.options.labels, { name: network.name }]),
      name,
      LABEL.network,
    ),
    volumes: keyed(
      volumes.map((volume) => [volume.labels, { name: volume.name }]),
      name,
      LABEL.volume,
    ),
    secrets: {},
    configs: {},
    models: {},
  }
}

function servicesOf(containers: readonly ProjectContainer[]): Record<string, Service> {
  const services: Record<string, Service> = Object.create(null) as Record<string, Service>
  for (const { service, isOneOff, container } of containers) {
    const known = (services[service] ??= {
      image: container.imageName,
      scale: 0,
      ...dependenciesOf(container.options.labels),
    })
    if (!isOneOff) known.scale = (known.scale ?? 0) + 1
  }
  return services
}

function dependenciesOf(labels: Readonly<Record<string, string>>): Pick<Service, "depends_on"> {
  const dependencies = parseDependencies(labels[LABEL.dependsOn] ?? "")
  return Object.keys(dependencies).length === 0 ? {} : { depends_on: dependencies }
}

const CONDITIONS = new Set(["service_started", "service_healthy", "service_completed_successfully"])

/** `db:service_healthy:true,cache`: what the label leaves out is what compose 1 had, a dependency that is restarted along. */
export function parseDependencies(label: string): Record<string, Dependency> {
  const dependencies = label.split(",").flatMap((one): [string, Dependency][] => {
    const [service = "", condition = "", restart = "true"] = one.split(":")
    if (service === "") return []
    return [
      [
        service,
        {
          condition: CONDITIONS.has(condition) ? (condition as Dependency["condition"]) : "service_started",
          restart: restart === "true",
          required: true,
        },
      ],
    ]
  })
  return Object.fromEntries(dependencies)
}

/** By the key that they have in the file. */
function keyed<T extends ProjectNetwork | ProjectVolume>(
  found: readonly (readonly [Readonly<Record<string, string>> | undefined, T])[],
  project: string,
  key: string,
): Record<string, T> {
  return Object.fromEntries(
    found.flatMap(([labels = {}, resource]) =>
      labels[LABEL.project] === project && labels[key] !== undefined ? [[labels[key], resource]] : [],
    ),
  )
}
