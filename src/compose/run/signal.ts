/** Verbs that change what processes do, and nothing else: they wait for nobody's turn, since somebody may need them now. */
import { isSkiffError } from "../../base/errors.ts"
import type { ComposeDeps } from "../deps.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { KillOptions, Target, VerbOptions } from "../verbs.ts"
import { act, each, subjectOf } from "./act.ts"
import { isChosen, isUp, openTarget, type OpenTarget } from "./open-target.ts"

/** See `ComposeVerbs.kill`. */
export async function killProject(deps: ComposeDeps, wanted: Target, options: KillOptions = {}): Promise<boolean> {
  const target = await openTarget(deps, wanted, { lenient: true })
  const isEvery = options.orphans === true && target.services.length === 0
  const chosen = target.all.filter(isUp).filter(isEvery ? () => true : isChosen(target))
  await each(chosen, options, (one) =>
    act(options, subjectOf(one), ["Killing", "Killed"], () =>
      target.containers.kill(one.container.id, options.killSignal ?? "SIGKILL", { abort: options.signal }),
    ),
  )
  return chosen.length > 0
}

/** See `ComposeVerbs.pause`. */
export async function pauseProject(deps: ComposeDeps, wanted: Target, options: VerbOptions = {}): Promise<void> {
  const target = await openTarget(deps, wanted, { lenient: true })
  await each(regularUp(target), options, (one) =>
    act(options, subjectOf(one), ["Pausing", "Paused"], async () => {
      try {
        await target.containers.pause(one.container.id, { abort: options.signal })
      } catch (error) {
        if (!isSkiffError(error) || error.data.status !== "paused") throw error
        throw error.restated(`container "${one.container.name}" is already paused`)
      }
    }),
  )
}

/** See `ComposeVerbs.unpause`. */
export async function unpauseProject(deps: ComposeDeps, wanted: Target, options: VerbOptions = {}): Promise<void> {
  const target = await openTarget(deps, wanted, { lenient: true })
  await each(regularUp(target), options, (one) =>
    act(options, subjectOf(one), ["Unpausing", "Unpaused"], () =>
      target.containers.unpause(one.container.id, { abort: options.signal }),
    ),
  )
}

function regularUp(target: OpenTarget): ProjectContainer[] {
  return target.all.filter((one) => isUp(one) && !one.isOneOff).filter(isChosen(target))
}
