import { FailedPrecondition } from "../../base/errors.ts"
import { limiter } from "../../base/limiter.ts"
import { log } from "../../base/log.ts"
import type { ComposeDeps } from "../deps.ts"
import { inDependencyOrder } from "../dependency-order.ts"
import type { ImageStep } from "../plan/image-plan.ts"
import type { ProjectPlan } from "../plan/project-plan.ts"
import type { ServicePlan, Step } from "../plan/service-plan.ts"
import { lockProject } from "../project-lock.ts"
import type { Project } from "../project.ts"
import { projectContainers } from "../project-containers.ts"
import type { UpOptions, UpResult } from "../up-options.ts"
import { act, each } from "./act.ts"
import { checkBefore } from "./check-before.ts"
import { Convergence } from "./convergence.ts"
import { askForVolumes, ensureVolumes } from "./ensure-volumes.ts"
import { imageSteps, lookAt, planOf, resourceSteps, wantedProject, type Look } from "./look.ts"
import { startServices } from "./start.ts"

/** See `ComposeUp.plan`. */
export async function planUp(deps: ComposeDeps, asked: Project, options: UpOptions = {}): Promise<ProjectPlan> {
  const look = await lookAt(deps, asked, options)
  return checkBefore(look, imageSteps(look, options), options)
}

/** See `ComposeUp.up`. */
export async function upProject(deps: ComposeDeps, asked: Project, options: UpOptions = {}): Promise<UpResult> {
  using _ = await lockProject(deps.locks, asked.name, options.signal)
  const look = await lookAt(deps, await provided(asked, options), options)
  const { project, separator } = look
  // a project loaded with all its resources may be networks and volumes alone
  const wanted = [project.services, project.networks, project.volumes]
  if (wanted.every((one) => Object.keys(one ?? {}).length === 0)) throw new FailedPrecondition("no service selected")
  const images = imageSteps(look, options)
  const plan = checkBefore(look, images, options)
  const volumes = await askForVolumes(plan.volumes, options)
  if (images.length > 0) {
    const { ensureImages } = await import("./ensure-images.ts")
    await ensureImages(deps, project, images, { ...options, separator })
  }
  const decided = images.length > 0 || volumes !== plan.volumes ? planOf(look, { ...plan, volumes }, options) : plan
  options.onPlan?.(decided)
  const ready = await ensureResources(look, decided, options)
  await converge(ready.look, ready.plan, { ...options, onCreated: () => options.onCreated?.(resultOf(look)) })
  return resultOf(look)
}

/** Most have no providers, and need none of the code. */
async function provided(project: Project, options: UpOptions): Promise<Project> {
  if (!Object.values(project.services).some(({ provider }) => provider !== undefined)) return project
  const { services } = wantedProject(project, options)
  const { provide } = await import("./providers.ts")
  const made = await provide({ ...project, services }, "up", options)
  return { ...project, services: { ...project.services, ...made.services } }
}

/** Networks and volumes; where one was made anew containers are looked at once more. */
async function ensureResources(
  look: Look,
  plan: ProjectPlan,
  options: UpOptions,
): Promise<{ look: Look; plan: ProjectPlan }> {
  if (plan.networks.some(({ action, warning }) => action !== "keep" || warning !== undefined)) {
    const { ensureNetworks } = await import("./ensure-networks.ts")
    await ensureNetworks(look, plan.networks, options)
  }
  await ensureVolumes(look, plan.volumes, options)
  const isRemade = [...plan.networks, ...plan.volumes].some(({ action }) => action === "recreate")
  if (!isRemade || options.dryRun === true) return { look, plan }
  const again = { ...look, found: projectContainers(look.containers, look.project.name) }
  return { look: again, plan: planOf(again, { images: [] as ImageStep[], ...resourceSteps(again) }, options) }
}

async function converge(look: Look, plan: ProjectPlan, options: UpOptions): Promise<void> {
  const { project, containers, images } = look
  const convergence = new Convergence({
    ...look,
    networks: plan.networks,
    volumes: plan.volumes,
    imageId: (name) => images.find(name)?.id,
    options,
    warn: log.warn,
  })
  if (plan.removesOrphans) await each(plan.orphans, options, (one) => convergence.remove(one))
  const isStarted = options.start !== false
  const rolled = isStarted ? plan.services.filter((one) => isRolled(one, project)) : []
  await createAll(convergence, plan, project, rolled, options)
  if (!isStarted) return
  options.onCreated?.({ project, containers: [] })
  if (options.dryRun === true) return tellStarts(plan, look, options)
  // those that are rolled are there all the time
  const all = projectContainers(containers, project.name)
  await startServices({ containers, project, all, services: [] }, options)
  if (rolled.length === 0) return
  const { rollService } = await import("./roll.ts")
  await inDependencyOrder(
    project.services,
    async (key, service) => {
      const steps = rolled.find((one) => one.service === key)?.steps ?? []
      if (steps.length > 0) await rollService({ convergence, containers, service, key, options }, steps)
    },
    { signal: options.signal },
  )
}

/** All that is not there, in the order of dependencies; who is restarted along stands still before. */
async function createAll(
  convergence: Convergence,
  plan: ProjectPlan,
  project: Project,
  rolled: readonly ServicePlan[],
  options: UpOptions,
): Promise<void> {
  const atOnce = limiter(options.limit ?? Infinity)
  const restarts = plan.services.flatMap(({ service, steps }) =>
    steps.filter(({ action }) => action === "restart").map((step) => ({ service, step })),
  )
  await each(restarts, options, ({ service, step }) => convergence.take(service, step))
  await inDependencyOrder(
    project.services,
    async (key) => {
      const steps = plan.services.find(({ service }) => service === key)?.steps ?? []
      const isRolledHere = rolled.some(({ service }) => service === key)
      const now = steps.filter(({ action }) => action !== "restart" && !(isRolledHere && action === "recreate"))
      const take = (step: Step) => atOnce(() => convergence.take(key, step))
      // whose name the replacement gets that is made now
      await each(
        now.filter(({ reason }) => reason.kind === "unfinished"),
        {},
        take,
      )
      await each(
        now.filter(({ reason }) => reason.kind !== "unfinished"),
        {},
        take,
      )
    },
    { signal: options.signal },
  )
}

/** Several of it run, and the file says how they are replaced: a few at a time. */
function isRolled({ service, steps }: ServicePlan, project: Project): boolean {
  return project.services[service]?.deploy?.update_config !== undefined && steps.some(replacesRunning)
}

function replacesRunning(step: Step): boolean {
  return step.action === "recreate" && step.container.container.state.status === "running"
}

/** Of a dry run: nothing of it is there to be started. */
async function tellStarts(plan: ProjectPlan, { project, separator }: Look, options: UpOptions): Promise<void> {
  const { containerName } = await import("../service/names.ts")
  for (const { service, steps } of plan.services)
    for (const step of steps) {
      if (step.action === "keep" || step.action === "remove") continue
      const context = { project, key: service, service: project.services[service] ?? {}, separator }
      const subject = { kind: "container", name: containerName(context, step.number) } as const
      await act(options, subject, ["Starting", "Started"], async () => {})
    }
}

function resultOf({ containers, project }: Look): UpResult {
  const found = projectContainers(containers, project.name).filter(
    ({ service, isOneOff }) => !isOneOff && Object.hasOwn(project.services, service),
  )
  return { project, containers: found }
}
