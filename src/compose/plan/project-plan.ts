import type { ProjectContainer } from "../project-containers.ts"
import type { Project, Service } from "../project.ts"
import { orphansOf } from "../orphans.ts"
import { serviceHash } from "../write/hash.ts"
import { digestOfFiles, fileOptions } from "../service/file-objects.ts"
import { imageName, replicasOf } from "../service/names.ts"
import { referredServices, withReferences } from "../service/references.ts"
import type { ReferredContainer, ServiceContext } from "../service/service-context.ts"
import { comparableService } from "./changed-keys.ts"
import { divergence, type Wanted } from "./divergence.ts"
import type { ImageStep } from "./image-plan.ts"
import type { ResourceStep } from "./resource-plan.ts"
import { planService, type Recreation, type ServicePlan, type Step } from "./service-plan.ts"

/** What `up` does, in its order. */
export interface ProjectPlan {
  images: readonly ImageStep[]
  networks: readonly ResourceStep[]
  volumes: readonly ResourceStep[]
  /** By service, each after those that it depends on. */
  services: readonly ServicePlan[]
  /** Of services that the project does not have, and one-offs that have ended. */
  orphans: readonly ProjectContainer[]
  /** Whether orphans go. */
  removesOrphans: boolean
}

/** What is there, and what the caller wants of it. */
export interface PlanInput {
  /** Of the services that are to be there. */
  project: Project
  /** All of the project. */
  found: readonly ProjectContainer[]
  separator: "-" | "_"
  images: readonly ImageStep[]
  networks: readonly ResourceStep[]
  volumes: readonly ResourceStep[]
  imageId(name: string): string | undefined
  /** Of a service. */
  recreation(service: string): Recreation
  removesOrphans: boolean
}

/** Decides all of it. Reads secrets and configs, and else nothing. Throws InvalidArgument for options that cannot be. */
export function planProject(input: PlanInput): ProjectPlan {
  const { project, found } = input
  const replaced = new Map<string, ReferredContainer[]>()
  const services = inOrder(project.services).map((key) => {
    const own = found.filter((one) => one.service === key && !one.isOneOff)
    const plan = planOf(key, own, input, replaced)
    replaced.set(key, expectedContainers(plan, own))
    return plan
  })
  const { removesOrphans } = input
  return {
    images: input.images,
    networks: input.networks,
    volumes: input.volumes,
    services: withRestarts(services, project.services),
    orphans: orphansOf(project, found),
    removesOrphans,
  }
}

function planOf(
  key: string,
  own: readonly ProjectContainer[],
  input: PlanInput,
  replaced: ReadonlyMap<string, readonly ReferredContainer[]>,
): ServicePlan {
  const { project, separator } = input
  const service = project.services[key] ?? {}
  if (service.provider !== undefined) return { service: key, steps: [] }
  const context: ServiceContext = {
    project,
    key,
    service,
    separator,
    containersOf: (name) => replaced.get(name) ?? [],
    warn: () => {},
  }
  const wanted = replicasOf(service) === 0 && own.length === 0 ? undefined : wantedOf(context, input)
  const shared = referredServices(service).find((name) => replaced.get(name)?.some(({ id }) => id === FUTURE + name))
  return planService(key, own, {
    wanted: replicasOf(service),
    recreate: input.recreation(key),
    divergence(one) {
      const reason = wanted && divergence(one, wanted)
      return reason?.kind === "changed" && shared !== undefined ? { kind: "shares", service: shared } : reason
    },
  })
}

/** What its containers are to be made of. Throws as `withReferences` and `fileOptions`. */
export function wantedOf(context: ServiceContext, input: Pick<PlanInput, "networks" | "volumes" | "imageId">): Wanted {
  const service = withReferences(context)
  const name = imageName(context)
  return {
    project: context.project,
    service,
    configHash: serviceHash(service),
    comparable: comparableService(service),
    filesDigest: digestOfFiles(fileOptions(context)),
    imageName: name,
    imageId: input.imageId(name),
    newNetworks: remade(input.networks),
    newVolumes: remade(input.volumes),
  }
}

function remade(steps: readonly ResourceStep[]): ReadonlySet<string> {
  return new Set(steps.flatMap(({ action, key }) => (action === "recreate" ? [key] : [])))
}

/** Stands for the id of a container that is not made yet. */
const FUTURE = "new:"

/** As they are afterwards: what others that refer to them will find. */
function expectedContainers(plan: ServicePlan, own: readonly ProjectContainer[]): ReferredContainer[] {
  const ofStep = (step: Step): ReferredContainer[] => {
    switch (step.action) {
      case "remove":
        return []
      case "create":
      case "recreate":
        return [{ id: FUTURE + plan.service, name: `${plan.service}-${step.number}`, number: step.number }]
      default:
        return [referred(step.container)]
    }
  }
  return plan.steps.length === 0 && own.length > 0 ? own.map(referred) : plan.steps.flatMap(ofStep)
}

/** As others refer to it. */
export function referred({ container: { id, name }, number }: ProjectContainer): ReferredContainer {
  return { id, name, number }
}

/** Who depends with `restart: true` on a service of which a container is replaced stands still meanwhile. */
function withRestarts(plans: readonly ServicePlan[], services: Readonly<Record<string, Service>>): ServicePlan[] {
  const isReplaced = new Set(
    plans.flatMap(({ service, steps }) => (steps.some(({ action }) => action === "recreate") ? [service] : [])),
  )
  return plans.map(({ service, steps }) => {
    const dependency = restartedBy(services[service]).find((name) => isReplaced.has(name))
    if (dependency === undefined) return { service, steps }
    const restarted = steps.map((step): Step => {
      if (step.action !== "keep") return step
      return { ...step, action: "restart", reason: { kind: "dependency", service: dependency } }
    })
    return { service, steps: restarted }
  })
}

function restartedBy({ depends_on: dependencies = {} }: Service = {}): string[] {
  return Object.entries(dependencies).flatMap(([name, { restart }]) => (restart === true ? [name] : []))
}

/** Each after those that it depends on, else by name. No circle: the loader refuses it. */
export function inOrder(services: Readonly<Record<string, Service>>): string[] {
  const ordered: string[] = []
  const seen = new Set<string>()
  const visit = (key: string): void => {
    if (seen.has(key) || !Object.hasOwn(services, key)) return
    seen.add(key)
    const service = services[key] ?? {}
    for (const name of [...Object.keys(service.depends_on ?? {}), ...referredServices(service)].toSorted()) visit(name)
    ordered.push(key)
  }
  for (const key of Object.keys(services).toSorted()) visit(key)
  return ordered
}
