import { isSkiffError } from "../base/errors.ts"
import { thisProcess } from "../sys/process/process-identity.ts"
import type { ContainerDeps } from "./deps.ts"
import { pause, unpause } from "./pause.ts"

/** See `Containers.whileFrozen`. */
export async function whileFrozen<T>(
  deps: ContainerDeps,
  ids: readonly string[],
  body: () => Promise<T>,
  abort: AbortSignal | undefined,
): Promise<T> {
  const frozen: string[] = []
  try {
    for (const id of ids) if (await freeze(deps, id, abort)) frozen.push(id)
    return await body()
  } finally {
    for (const id of frozen) await letGoOn(deps, id)
  }
}

/** False of one that stands still already, or does not run. */
async function freeze(deps: ContainerDeps, id: string, abort: AbortSignal | undefined): Promise<boolean> {
  try {
    await pause(deps, id, { owner: thisProcess(), abort })
    return true
  } catch (error) {
    if (isSkiffError(error, "FailedPrecondition") || isSkiffError(error, "NotFound")) return false
    throw error
  }
}

/** It may have been removed or resumed by somebody meanwhile. */
async function letGoOn(deps: ContainerDeps, id: string): Promise<void> {
  await unpause(deps, id).catch((error: unknown) => {
    if (!isSkiffError(error, "FailedPrecondition") && !isSkiffError(error, "NotFound")) throw error
  })
}
