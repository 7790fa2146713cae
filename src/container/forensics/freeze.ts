import { isSkiffError } from "../../base/errors.ts"
import { thisProcess } from "../../sys/process/process-identity.ts"
import type { ContainerDeps } from "../deps.ts"
import { pause, unpause } from "../pause.ts"

/** How long it stood still, or why it did not. */
export interface Freeze {
  frozenMicroseconds?: number
  notFrozen?: string
}

/** Runs `look` while the programs of a container stand still; killed meanwhile, the next command lets them go on. */
export async function whileFrozen(
  deps: ContainerDeps,
  id: string,
  look: () => void,
  abort: AbortSignal | undefined,
): Promise<Freeze> {
  const begun = performance.now()
  try {
    await pause(deps, id, { owner: thisProcess(), abort })
  } catch (error) {
    // paused already, not running, or a host without a freezer
    if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "Unsupported")) throw error
    look()
    return { notFrozen: error.message }
  }
  try {
    look()
  } finally {
    await unpause(deps, id).catch((error: unknown) => {
      if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
    })
  }
  return { frozenMicroseconds: Math.round((performance.now() - begun) * 1000) }
}
