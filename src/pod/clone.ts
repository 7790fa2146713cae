import type { Container, ContainerOptions } from "../container/container.ts"
import { withoutAddresses } from "../network/network.ts"
import { containersOf } from "./change.ts"
import { createPod } from "./create.ts"
import type { PodDeps } from "./deps.ts"
import { observePod } from "./observe.ts"
import type { Pod, PodOptions } from "./pod.ts"
import { removePod } from "./remove.ts"

/** See `Pods.clone`. Addresses are one's own, and names are had once: those the clone gets anew. */
export async function clonePod(deps: PodDeps, nameOrId: string, changes: PodOptions = {}): Promise<Pod> {
  const source = deps.records.get(nameOrId)
  const { address: _, macAddress: __, sandboxName: ___, networks, ...rest } = source.spec.options
  const options = { ...rest, ...(networks && { networks: networks.map(withoutAddresses) }) }
  const pod = await createPod(deps, { ...options, name: `${source.name}-clone`, ...changes })
  try {
    const containers = await deps.containers()
    // their options have in them already what the pod gives
    for (const one of await containersOf(deps, source))
      await containers.create({ ...ownOptions(one), ...inClone(pod), name: `${one.name}-clone` })
  } catch (error) {
    await removePod(deps, pod.id, { force: true })
    throw error
  }
  return observePod(deps, deps.records.get(pod.id))
}

/** Without what its place in its own pod gave it. */
function ownOptions({ options }: Container): ContainerOptions {
  if (options.limits?.cgroupParent === undefined || options.sandbox === undefined) return options
  const { cgroupParent: _, ...limits } = options.limits
  return { ...options, limits }
}

function inClone({ id, name, sandboxId }: Pod): Pick<ContainerOptions, "pod" | "sandbox"> {
  return { pod: { id, name }, ...(sandboxId === undefined ? {} : { sandbox: sandboxId }) }
}
