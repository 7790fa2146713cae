import type { ComposeDeps } from "../deps.ts"
import { lockProject } from "../project-lock.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { RemoveOptions, Target } from "../verbs.ts"
import { act, each, subjectOf } from "./act.ts"
import { isChosen, isUp, openTarget } from "./open-target.ts"
import { unlessGone } from "./stop.ts"

/** See `ComposeVerbs.removable`. */
export async function removableOf(deps: ComposeDeps, wanted: Target): Promise<ProjectContainer[]> {
  const target = await openTarget(deps, wanted, { lenient: true })
  return target.all.filter((one) => !one.isOneOff && !isUp(one)).filter(isChosen(target))
}

/** See `ComposeVerbs.remove`. */
export async function removeContainers(
  deps: ComposeDeps,
  name: string,
  chosen: readonly ProjectContainer[],
  options: RemoveOptions = {},
): Promise<void> {
  using _ = await lockProject(deps.locks, name, options.signal)
  const containers = await deps.containers()
  const { volumes = false, signal } = options
  await each(chosen, options, (one) =>
    act(options, subjectOf(one), ["Removing", "Removed"], () =>
      unlessGone(() => containers.remove(one.container.id, { force: true, volumes, abort: signal })),
    ),
  )
}
