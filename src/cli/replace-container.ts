import { isSkiffError } from "../base/errors.ts"
import type { Containers } from "../container/container.ts"
import { UsageError } from "./errors/usage-error.ts"

/**
 * `make`, and once more when the name is taken and `replace` is set: after the one that has it is removed. Whatever else is wrong with
 * the new one is told before the old one goes. Throws UsageError without a name.
 */
export async function replacing<T>(
  containers: Containers,
  { replace, name }: { replace: boolean; name: string | undefined },
  make: () => Promise<T>,
): Promise<T> {
  if (!replace) return make()
  if (name === undefined) throw new UsageError("cannot replace container without --name being set")
  try {
    return await make()
  } catch (error) {
    if (!isSkiffError(error, "AlreadyExists") || error.data.object !== "container") throw error
    await containers.remove(String(error.data.holder), { force: true })
    return make()
  }
}
