import { isSkiffError } from "../../base/errors.ts"
import type { ComposeDeps } from "../deps.ts"
import { inDependencyOrder } from "../dependency-order.ts"
import { lockProject } from "../project-lock.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { StopOptions, Target } from "../verbs.ts"
import { act, each, subjectOf } from "./act.ts"
import { runHooksWhileRunning } from "./hooks.ts"
import { openTarget, regularOf, type OpenTarget } from "./open-target.ts"

/** See `ComposeVerbs.stop`. */
export async function stopProject(deps: ComposeDeps, target: Target, options: StopOptions = {}): Promise<void> {
  using _ = await lockProject(deps.locks, target.name, options.signal)
  await stopServices(await openTarget(deps, target, { lenient: true }), options)
}

/** The same within a verb that holds the project's lock. */
export async function stopServices(target: OpenTarget, options: StopOptions): Promise<void> {
  const named = new Set(target.services)
  await inDependencyOrder(
    target.project.services,
    async (service) => {
      if (named.size > 0 && !named.has(service)) return
      await each(regularOf(target, service), options, (one) => stopContainer(target, one, options))
    },
    { reverse: true, signal: options.signal },
  )
}

/** Hooks, then the stop signal; safe to repeat, also when it has gone by then. */
export async function stopContainer(
  { containers, project }: Pick<OpenTarget, "containers" | "project">,
  one: ProjectContainer,
  options: StopOptions,
): Promise<void> {
  const { timeoutSeconds, signal } = options
  const hooks = project.services[one.service]?.pre_stop ?? []
  await act(options, subjectOf(one), ["Stopping", "Stopped"], async () => {
    await runHooksWhileRunning(hooks, { containers, target: one, ...options })
    const given = timeoutSeconds === undefined ? {} : { timeoutSeconds }
    await unlessGone(() => containers.stop(one.container.id, { ...given, abort: signal }))
  })
}

/** `volumes`: its anonymous ones too. */
export async function stopAndRemove(
  target: Pick<OpenTarget, "containers" | "project">,
  one: ProjectContainer,
  options: StopOptions,
  volumes = false,
): Promise<void> {
  await stopContainer(target, one, options)
  await act(options, subjectOf(one), ["Removing", "Removed"], () =>
    unlessGone(() => target.containers.remove(one.container.id, { force: true, volumes, abort: options.signal })),
  )
}

/** What was to be changed may have been removed by somebody else: that is as good. */
export async function unlessGone(body: () => Promise<unknown>): Promise<void> {
  try {
    await body()
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
}
