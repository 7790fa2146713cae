import type { ComposeDeps } from "../deps.ts"
import { inDependencyOrder, selectServices } from "../dependency-order.ts"
import { lockProject } from "../project-lock.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Project, Service } from "../project.ts"
import type { RestartOptions, Target } from "../verbs.ts"
import { act, each, subjectOf } from "./act.ts"
import { waitForDependencies } from "./dependencies.ts"
import { runHooks, runHooksWhileRunning } from "./hooks.ts"
import { openTarget, regularOf, type OpenTarget } from "./open-target.ts"

/** See `ComposeVerbs.restart`. */
export async function restartProject(deps: ComposeDeps, wanted: Target, options: RestartOptions = {}): Promise<void> {
  using _ = await lockProject(deps.locks, wanted.name, options.signal)
  const target = await openTarget(deps, wanted)
  const linked = withRestartLinks(target.project)
  const along = options.withoutDependents === true ? "nothing" : "dependents"
  const project = selectServices(linked, target.services, along)
  const wait = {
    ...options,
    containers: target.containers,
    project,
    containersOf: (service: string) => regularOf(target, service),
  }
  await inDependencyOrder(
    project.services,
    async (name, service) => {
      await waitForDependencies(name, service.depends_on ?? {}, wait)
      await each(regularOf(target, name), options, (one) => restartContainer(target, one, service, options))
    },
    { signal: options.signal },
  )
}

/** Only dependencies that are restarted along count. */
function withRestartLinks(project: Project): Project {
  const services = Object.entries(project.services).map(([name, service]): [string, Service] => {
    const kept = Object.entries(service.depends_on ?? {}).filter(([, { restart }]) => restart === true)
    return [name, { ...service, depends_on: Object.fromEntries(kept) }]
  })
  return { ...project, services: Object.fromEntries(services) }
}

async function restartContainer(
  { containers }: OpenTarget,
  one: ProjectContainer,
  service: Service,
  options: RestartOptions,
): Promise<void> {
  const { timeoutSeconds, signal } = options
  await act(options, subjectOf(one), ["Restarting", "Started"], async () => {
    const run = { containers, target: one, ...options }
    await runHooksWhileRunning(service.pre_stop ?? [], run)
    const given = timeoutSeconds === undefined ? {} : { timeoutSeconds }
    await containers.restart(one.container.id, { ...given, abort: signal })
    await runHooks(service.post_start ?? [], run)
  })
}
