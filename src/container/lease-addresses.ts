import { withHolder } from "./attachments.ts"
import type { NetworkRequest } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { repair } from "./repair.ts"

/**
 * Makes the addresses that a container asks for its own, when it is called: in the transaction that writes the container down. That throws
 * InvalidArgument, AlreadyExists.
 */
export async function leasing(
  deps: ContainerDeps,
  id: string,
  attachments: readonly NetworkRequest[],
): Promise<() => void> {
  const asking = attachments.filter(({ address, address6 }) => address !== undefined || address6 !== undefined)
  if (asking.length === 0) return () => {}
  await repairLeaving(deps)
  const networks = await deps.networks()
  const leases = asking.map(({ network, address, address6 }) => ({ network: networks.get(network), address, address6 }))
  return () => {
    for (const { network, address, address6 } of leases)
      try {
        networks.lease(network, { containerId: id, address, address6 })
      } catch (error) {
        throw withHolder(deps, error)
      }
  }
}

/** An address of a connect that was killed is nobody's. */
async function repairLeaving(deps: ContainerDeps): Promise<void> {
  const leaving = deps.records.listUnreconciledStates().filter(({ state }) => state.leaving !== undefined)
  if (leaving.length === 0) return
  await repair(
    deps,
    leaving.map(({ id }) => id),
  )
}
