import type { Container, Containers } from "../../container/container.ts"
import type { Images } from "../../image/image.ts"
import type { Networks } from "../../network/network.ts"
import type { Volumes } from "../../volume/volume.ts"
import type { ComposeDeps } from "../deps.ts"
import { checkServices, selectServices } from "../dependency-order.ts"
import { planImages, type ImageStep } from "../plan/image-plan.ts"
import { planProject, type ProjectPlan } from "../plan/project-plan.ts"
import { planNetwork, planVolume, type ResourceStep } from "../plan/resource-plan.ts"
import { ofProject, type ProjectContainer } from "../project-containers.ts"
import type { Project, Service } from "../project.ts"
import { realName } from "../service/networks.ts"
import { volumeName } from "../service/mounts.ts"
import type { UpOptions } from "../up-options.ts"
import { Problems } from "./problems.ts"

/** What is there before an `up`, and what is wanted. */
export interface Look {
  /** Of the services that are to be there, scaled. */
  project: Project
  separator: "-" | "_"
  containers: Containers
  images: Images
  networks: Networks
  volumes: Volumes
  /** All containers of the store. */
  everything: readonly Container[]
  /** Those of the project. */
  found: readonly ProjectContainer[]
}

/** Opens what is needed, and looks. Throws NotFound for a service that the project does not have. */
export async function lookAt(deps: ComposeDeps, asked: Project, options: UpOptions): Promise<Look> {
  const [containers, images, networks, volumes] = await Promise.all([
    deps.containers(),
    deps.images(),
    deps.networks(),
    deps.volumes(),
  ])
  const everything = containers.list({ all: true })
  return {
    project: wantedProject(asked, options),
    separator: options.compatibility === true ? "_" : "-",
    containers,
    images,
    networks,
    volumes,
    everything,
    found: ofProject(everything, asked.name),
  }
}

/** The named services and what they depend on, with the numbers that the caller gave; networks and volumes that these use. */
export function wantedProject(
  asked: Project,
  { services = [], withoutDependencies = false, scale = {} }: UpOptions,
): Project {
  checkServices(asked, Object.keys(scale))
  const selected = selectServices(asked, services, withoutDependencies ? "nothing" : "dependencies")
  const scaled = Object.entries(selected.services).map(([key, service]): [string, Service] => [
    key,
    scale[key] === undefined ? service : { ...service, scale: scale[key] },
  ])
  const project = { ...selected, services: Object.fromEntries(scaled) }
  if (services.length === 0) return project
  return {
    ...project,
    networks: used(project, "networks", ({ networks = {} }) => Object.keys(networks)),
    volumes: used(project, "volumes", ({ volumes = [] }) =>
      volumes.flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : [])),
    ),
  }
}

function used<K extends "networks" | "volumes">(
  project: Project,
  kind: K,
  of: (service: Service) => string[],
): Project[K] {
  const kept = new Set(Object.values(project.services).flatMap(of))
  return Object.fromEntries(Object.entries(project[kind]).filter(([key]) => kept.has(key))) as Project[K]
}

/** Images that are to be pulled or built. */
export function imageSteps({ project, images, separator }: Look, options: UpOptions): ImageStep[] {
  return planImages(project, {
    build: options.build,
    pull: options.pull,
    separator,
    now: Date.now(),
    find: (name) => images.find(name),
  })
}

/** Networks and volumes; `problems` gets what `planNetwork` and `planVolume` throw. */
export function resourceSteps(
  { project, networks, volumes }: Look,
  problems: Problems = new Problems(),
): { networks: ResourceStep[]; volumes: ResourceStep[] } {
  const [ofNetworks, ofVolumes] = [Object.keys(project.networks), Object.keys(project.volumes)]
  const nets = new Map((ofNetworks.length > 0 ? networks.list() : []).map((one) => [one.name, one]))
  const vols = new Map((ofVolumes.length > 0 ? volumes.list() : []).map((one) => [one.name, one]))
  return {
    networks: ofNetworks.flatMap(
      (key) => problems.heed(() => planNetwork(project, key, nets.get(realName(project, key)))) ?? [],
    ),
    volumes: ofVolumes.flatMap(
      (key) => problems.heed(() => planVolume(project, key, vols.get(volumeName(project, key)))) ?? [],
    ),
  }
}

/** What is to be done with containers, now that images are there or not. */
export function planOf(
  look: Look,
  resources: { images: readonly ImageStep[]; networks: readonly ResourceStep[]; volumes: readonly ResourceStep[] },
  options: UpOptions,
): ProjectPlan {
  const { services = [], recreate = "diverged", recreateDependencies = "diverged", removeOrphans = false } = options
  const named = new Set(services)
  return planProject({
    ...look,
    ...resources,
    imageId: (name) => look.images.find(name)?.id,
    recreation: (service) => (named.size === 0 || named.has(service) ? recreate : recreateDependencies),
    removesOrphans: removeOrphans,
  })
}
