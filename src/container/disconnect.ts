/** A container leaves a network, running or not. */
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, isSkiffError } from "../base/errors.ts"
import type { Network, Networks } from "../network/network.ts"
import type { Abortable } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { connectionEvent } from "./events.ts"
import { reconciled } from "./reconcile-now.ts"
import { takeOff } from "./take-off.ts"

/** See `Containers.disconnect`. */
export async function disconnect(
  deps: ContainerDeps,
  nameOrId: string,
  networkName: string,
  { force = false, abort }: Abortable & { force?: boolean } = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  const network = findNetwork(await deps.networks(), networkName, force)
  const known = network?.name ?? networkName
  const attachment = record.state.attachments.find((one) => one.network === known)
  if (attachment === undefined)
    throw new FailedPrecondition(`container ${record.name} is not connected to network ${known}`, {
      data: { object: "endpoint", name: record.name, id, network: known },
    })
  await deps.records.whenFree(abort)
  record.state.attachments = record.state.attachments.filter((one) => one !== attachment)
  // from here on it is finished, by us or by who finds us dead
  record.state.leaving = attachment
  deps.records.save(record)
  crashPoint("disconnect:recorded")
  await takeOff(deps, record)
  await deps.records.whenFree()
  deps.records.save(record, attachment.endpoint === undefined ? [] : [connectionEvent(id, attachment, "disconnect")])
}

function findNetwork(networks: Networks, name: string, force: boolean): Network | undefined {
  try {
    return networks.get(name)
  } catch (error) {
    if (force && isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}
