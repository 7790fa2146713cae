import { FailedPrecondition, isSkiffError, NotFound } from "../../base/errors.ts"
import type { ComposeDeps } from "../deps.ts"
import { inDependencyOrder, selectServices } from "../dependency-order.ts"
import { lockProject } from "../project-lock.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Service } from "../project.ts"
import type { StartOptions, Target } from "../verbs.ts"
import { act, each, subjectOf } from "./act.ts"
import { waitForDependencies } from "./dependencies.ts"
import { runHooks } from "./hooks.ts"
import { isUp, openTarget, regularOf, type OpenTarget } from "./open-target.ts"

/** See `ComposeVerbs.start`. */
export async function startProject(deps: ComposeDeps, target: Target, options: StartOptions = {}): Promise<void> {
  using _ = await lockProject(deps.locks, target.name, options.signal)
  await startServices(await openTarget(deps, target), options)
}

/** The same within a verb that holds the project's lock. */
export async function startServices(target: OpenTarget, options: StartOptions): Promise<void> {
  const project = selectServices(target.project, target.services, "dependencies")
  const limit = timeLimit(options)
  const wait = {
    ...options,
    signal: limit.signal,
    containers: target.containers,
    project,
    containersOf: (service: string) => regularOf(target, service),
  }
  try {
    await inDependencyOrder(
      project.services,
      async (name, service) => {
        if ((service.scale ?? service.deploy?.replicas) === 0) return
        await waitForDependencies(name, service.depends_on ?? {}, wait)
        await startService(target, name, service, options)
      },
      { signal: options.signal },
    )
    if (options.wait === true) await waitForAll(Object.keys(project.services), wait)
  } catch (error) {
    if (!limit.isOver() || !isSkiffError(error, "Cancelled")) throw error
    throw new FailedPrecondition(`application not healthy after ${options.waitTimeoutSeconds}s`, { cause: error })
  }
}

function waitForAll(services: readonly string[], wait: Parameters<typeof waitForDependencies>[2]): Promise<void> {
  const condition = { condition: "running_or_healthy", required: true } as const
  return waitForDependencies("project", Object.fromEntries(services.map((name) => [name, condition])), wait)
}

/** What is waited for ends with the caller's patience, or with the time that it gave. */
function timeLimit({ waitTimeoutSeconds = 0, signal }: StartOptions): {
  signal: AbortSignal | undefined
  isOver(): boolean
} {
  if (waitTimeoutSeconds <= 0) return { signal, isOver: () => false }
  const over = AbortSignal.timeout(waitTimeoutSeconds * 1000)
  return { signal: AbortSignal.any([over, ...(signal ? [signal] : [])]), isOver: () => over.aborted }
}

async function startService(target: OpenTarget, name: string, service: Service, options: StartOptions): Promise<void> {
  const found = regularOf(target, name)
  // docker: of a project that is not there at all; what was not made of one that is, is left out
  const isMissed = found.length === 0 && (target.all.length === 0 || target.services.includes(name))
  if (isMissed && service.provider === undefined)
    throw new NotFound(`service "${name}" has no container to start`, { data: { service: name } })
  const down = found.filter((one) => !isUp(one))
  await each(down, options, (one) => startContainer(target, one, service, options))
}

/** Starts it, and runs what is to be run after that. */
export async function startContainer(
  { containers }: Pick<OpenTarget, "containers">,
  one: ProjectContainer,
  service: Service,
  options: StartOptions,
): Promise<void> {
  await act(options, subjectOf(one), ["Starting", "Started"], async () => {
    const started = await containers.start(one.container.id, { abort: options.signal })
    started.release()
    await runHooks(service.post_start ?? [], { containers, target: one, ...options })
  })
}
