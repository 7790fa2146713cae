/** Networks that a user removes. */
import { crashPoint } from "../base/crash-point.ts"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import type { Events } from "../event/event.ts"
import { isHeldOn } from "./endpoint-claims.ts"
import type { HostSide, HostSockets } from "./host-side.ts"
import { deleteNetwork } from "./network-records.ts"
import { DEFAULT_NETWORK, type Network, type NetworkUser } from "./network.ts"
import { deleteOwnLink } from "./own-link.ts"
import { EndpointRecords, type EndpointRow } from "./records.ts"

/** What the removal of a network stands on. */
export interface RemoveNetworkDeps {
  db: Database
  host: HostSide
  /** Written on what is ours of the host's interfaces. */
  alias: string
  events?: Pick<Events, "append">
  /** Containers and pods that are on it when they run. */
  usedBy?: ((network: Network) => readonly NetworkUser[]) | undefined
  /** Takes back what a container had on the network, and is gone. */
  teardown(network: Network, containerId: string): Promise<void>
  /** Takes the network, whose row is gone, out of the firewall. Safe to repeat. */
  forgetRules(host: HostSockets, network: Network): void
}

/**
 * Rules and bridge go in the transaction of the row: killed between them, the network is there as before, and what is missing in the
 * kernel is made anew by whoever needs it. Throws InvalidArgument for the default network, FailedPrecondition while somebody is on it.
 */
export async function removeNetwork(deps: RemoveNetworkDeps, network: Network): Promise<void> {
  const { db, host, alias, events } = deps
  if (network.name === DEFAULT_NETWORK)
    throw new InvalidArgument(`${network.name} is a pre-defined network and cannot be removed`, {
      data: { object: "network", name: network.name, reason: "default" },
    })
  const sockets = await host.sockets()
  // of a build that was killed, say: nobody is on the network by it
  const known = deps.usedBy?.(network) ?? []
  for (const endpoint of endpointsOf(db, network))
    if (!known.some(({ id }) => id === endpoint.containerId) && !isHeldOn(sockets, endpoint))
      await deps.teardown(network, endpoint.containerId)
  await db.whenFree()
  db.transaction(() => {
    const users = usersOf(deps, network)
    if (users.length > 0) throw inUse(network, users)
    deleteNetwork(db, network)
    const attributes = { name: network.name, type: network.driver }
    events?.append({ type: "network", action: "destroy", actor: { id: network.id, attributes } })
    if (network.driver === "bridge") deps.forgetRules(sockets, network)
    crashPoint("network:rules-removed")
    deleteOwnLink(sockets.route, network.bridge, alias)
    crashPoint("network:bridge-removed")
  })
}

function endpointsOf(db: Database, { id }: Network): EndpointRow[] {
  return new EndpointRecords(db).list().filter(({ networkId }) => networkId === id)
}

/** By name where somebody knows it; an endpoint of whom nobody knows anything, a build's, by its id. */
function usersOf({ db, usedBy }: RemoveNetworkDeps, network: Network): readonly NetworkUser[] {
  const users = usedBy?.(network) ?? []
  const others = endpointsOf(db, network).filter(({ containerId }) => !users.some(({ id }) => id === containerId))
  return [...users, ...others.map(({ containerId: id }) => ({ id, name: shortId(id) }))]
}

function inUse({ id, name }: Network, users: readonly NetworkUser[]): FailedPrecondition {
  const names = users.map((user) => `"${user.name}"`).join(", ")
  return new FailedPrecondition(`network "${name}" is in use by ${names}`, {
    hint: "remove or disconnect them first",
    data: { object: "network", name, id, users },
  })
}
