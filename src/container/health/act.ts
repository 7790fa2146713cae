import type { ContainerDeps } from "../deps.ts"
import { kill, restartUnhealthy, stop } from "../stop.ts"
import type { ContainerRecord } from "../record.ts"
import { restartsUnhealthy } from "../restart-policy.ts"
import type { HealthAction } from "./health.ts"

/**
 * What a container that has become unhealthy gets: what was asked for, or by its restart policy a restart with its back-off. A kill
 * leaves the end to that policy; after a stop it stays down.
 */
export async function actOnFailure(
  deps: ContainerDeps,
  { id, spec, state }: ContainerRecord,
  action: HealthAction | undefined,
): Promise<void> {
  switch (action) {
    case "kill":
      return kill(deps, id, "SIGKILL", { isRequest: false })
    case "stop":
      return stop(deps, id)
    case "restart":
      return restartUnhealthy(deps, id)
    case undefined:
      if (restartsUnhealthy(spec.options.restart, state)) await restartUnhealthy(deps, id)
  }
}
