import { FailedPrecondition } from "../base/errors.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"
import { failureOf, LONGEST_HOOK_MS } from "./run-hooks.ts"
import { restartUnhealthy, stop } from "./stop.ts"

/**
 * Called when the program has begun, and nobody holds the container's lock. One whose hook fails is ended, and started again as its policy
 * says. Throws FailedPrecondition then.
 */
export async function afterStart(deps: ContainerDeps, { id, name, spec }: ContainerRecord): Promise<void> {
  const hook = spec.options.lifecycle?.postStart
  if (hook === undefined) return
  const failure = await failureOf(deps, { id, sandbox: spec.options.sandbox }, hook, LONGEST_HOOK_MS)
  if (failure === undefined) return
  // not by the hook before a stop: it has not begun
  if (spec.options.restart.name === "no") await stop(deps, id, { withoutHook: true })
  else await restartUnhealthy(deps, id, { withoutHook: true })
  throw new FailedPrecondition(`the postStart hook of container "${name}" failed: ${failure}`)
}
