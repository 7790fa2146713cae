import type { Container } from "../../container/container.ts"
import { log } from "../../base/log.ts"
import type { ComposeDeps } from "../deps.ts"
import { checkServices } from "../dependency-order.ts"
import { orphansOf } from "../orphans.ts"
import { referred, wantedOf } from "../plan/project-plan.ts"
import { asProjectContainer, projectContainers } from "../project-containers.ts"
import { lockProject } from "../project-lock.ts"
import type { Hook, Project } from "../project.ts"
import type { OneOff, RunOptions, RunRequest } from "../run-options.ts"
import { fileOptions } from "../service/file-objects.ts"
import { newSlug } from "../service/labels.ts"
import { serviceOptions } from "../service/service-options.ts"
import type { UpOptions } from "../up-options.ts"
import type { VerbOptions } from "../verbs.ts"
import { waitForDependencies } from "./dependencies.ts"
import { each } from "./act.ts"
import { stopAndRemove } from "./stop.ts"
import { runHooksWhileRunning } from "./hooks.ts"
import { imageSteps, lookAt, resourceSteps, type Look } from "./look.ts"
import { oneOffService, ownVolumes } from "./one-off-service.ts"
import { regularOf } from "./open-target.ts"

const NAME_DIGITS = 12

/** See `ComposeRun.createOneOff`. */
export async function createOneOff(
  deps: ComposeDeps,
  asked: Project,
  request: RunRequest,
  options: RunOptions = {},
): Promise<OneOff> {
  checkServices(asked, [request.service])
  const service = oneOffService(asked, request)
  const upOptions = upOptionsOf(options)
  const dependencies = Object.keys(asked.services[request.service]?.depends_on ?? {}).filter((name) =>
    Object.hasOwn(asked.services, name),
  )
  if (dependencies.length > 0 && options.withoutDependencies !== true) {
    const { upProject } = await import("./up.ts")
    await upProject(deps, asked, { ...upOptions, services: dependencies })
  }
  using _ = await lockProject(deps.locks, asked.name, options.signal)
  const project = { ...asked, services: { ...asked.services, [request.service]: service } }
  const look = await lookAt(deps, project, { ...upOptions, services: [request.service], withoutDependencies: true })
  await seeToOrphans(look, asked, options)
  await ensureAll(deps, look, upOptions)
  if (options.withoutDependencies !== true)
    await waitForDependencies(request.service, service.depends_on ?? {}, {
      ...options,
      containers: look.containers,
      project: asked,
      containersOf: (name) => regularOf({ all: projectContainers(look.containers, asked.name) }, name),
    })
  return { container: await create(look, request, options), postStart: service.post_start ?? [] }
}

function upOptionsOf(options: RunOptions): UpOptions {
  const { build, pull, quietPull, removeOrphans, compatibility, onOrphans: _, ...verb } = options
  return {
    ...verb,
    ...(build === true && { build: "always" }),
    pull,
    quietPull,
    removeOrphans,
    compatibility,
  }
}

async function seeToOrphans(look: Look, project: Project, options: RunOptions): Promise<void> {
  const orphans = orphansOf(project, look.found)
  if (orphans.length === 0) return
  if (options.removeOrphans !== true) return options.onOrphans?.(orphans)
  await each(orphans, options, (one) => stopAndRemove({ containers: look.containers, project }, one, options))
}

/** Images, networks and volumes of the one service. */
async function ensureAll(deps: ComposeDeps, look: Look, options: UpOptions): Promise<void> {
  const images = imageSteps(look, options)
  if (images.length > 0) {
    const { ensureImages } = await import("./ensure-images.ts")
    await ensureImages(deps, look.project, images, { ...options, separator: look.separator })
  }
  const { networks, volumes } = resourceSteps(look)
  const [{ ensureNetworks }, { ensureVolumes }] = await Promise.all([
    import("./ensure-networks.ts"),
    import("./ensure-volumes.ts"),
  ])
  // what changed is made anew by `up`, which replaces those that are on it
  const missing = networks.filter(({ action }) => action === "create")
  await ensureNetworks(look, missing, options)
  await ensureVolumes(
    look,
    volumes.filter(({ action }) => action === "create"),
    options,
  )
}

async function create(look: Look, request: RunRequest, options: RunOptions): Promise<Container | undefined> {
  if (options.dryRun === true) return undefined
  const { containers, separator, images, found } = look
  const service = look.project.services[request.service] ?? {}
  const volumes = { ...look.project.volumes, ...ownVolumes(look.project, service) }
  const project = { ...look.project, volumes }
  const slug = newSlug()
  const context = {
    project,
    key: request.service,
    service,
    separator,
    containersOf: (name: string) => regularOf({ all: found }, name).map(referred),
    warn: log.warn,
  }
  const wanted = wantedOf(context, { networks: [], volumes: [], imageId: (name) => images.find(name)?.id })
  const made = serviceOptions(
    { ...context, service: wanted.service },
    {
      name: request.name ?? [project.name, request.service, "run", slug.slice(0, NAME_DIGITS)].join(separator),
      slug,
      number: 1,
      isNameless: request.useAliases !== true,
      configHash: wanted.configHash,
      imageId: wanted.imageId ?? "",
      files: fileOptions(context),
    },
  )
  const container = await containers.create(
    { ...made, ...(request.autoRemove === true && { autoRemove: true }) },
    undefined,
    { abort: options.signal },
  )
  return container
}

/** See `ComposeRun.postStart`. */
export async function postStart(
  deps: ComposeDeps,
  container: Container,
  hooks: readonly Hook[],
  options: VerbOptions = {},
): Promise<void> {
  const containers = await deps.containers()
  // it may have ended before its hook began
  await runHooksWhileRunning(hooks, { ...options, containers, target: asProjectContainer(container) })
}
