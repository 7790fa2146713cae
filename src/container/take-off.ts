/** What a container no longer has of a network, and how the others stand in for it. */
import { defined } from "../base/defined.ts"
import { crashPoint } from "../base/crash-point.ts"
import { isSkiffError } from "../base/errors.ts"
import { log } from "../base/log.ts"
import type { EndpointStatus, EndpointTraffic, Network, Networks } from "../network/network.ts"
import { endpointsOf, followResolvers, uplinkOf } from "./attachments.ts"
import type { NetworkAttachment } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { takeFromHosts } from "./hosts-lines.ts"
import { isHeld, isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"

/**
 * Takes back all that the kernel and the network have of the attachment that the record names as leaving; uplink and published ports go
 * to one of the others. Safe to repeat; the caller saves the record.
 */
export async function takeOff(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const { id, state } = record
  const { leaving } = state
  if (leaving === undefined) return
  const networks = await deps.networks()
  let network: Network | undefined
  try {
    network = networks.get(leaving.network)
  } catch (error) {
    // a network that is gone has nothing of ours any more
    if (!isSkiffError(error, "NotFound")) throw error
  }
  if (network !== undefined && hasNamespace(deps, record)) {
    const live = { containerId: id, netns: `/proc/${state.pid}/ns/net`, interface: leaving.endpoint?.interface ?? "" }
    await leadThroughUplink(networks, record, leaving)
    crashPoint("disconnect:led")
    const traffic = await networks.traffic(network, id)
    await networks.leave(network, live, leaving.endpoint)
    if (traffic !== undefined) state.leftTraffic = added(traffic, state.leftTraffic)
    takeFromHosts(deps, record, leaving)
    // of one that was killed it is not known how far it had come: perhaps so far that this one was asked
    const left = leaving.endpoint ?? namedBy(network)
    followResolvers(deps, record, [...endpointsOf(state.attachments), left])
  } else if (network !== undefined) await networks.teardown(network, id, leaving.endpoint)
  if (network !== undefined) networks.release(id, network)
  delete state.leaving
}

function namedBy({ gateway, options }: Network): Pick<EndpointStatus, "nameServer" | "searchDomain"> {
  return { nameServer: gateway, ...defined({ searchDomain: options.dns?.searchDomain }) }
}

function added(one: EndpointTraffic, other: EndpointTraffic = { receivedBytes: 0, sentBytes: 0 }): EndpointTraffic {
  return {
    receivedBytes: one.receivedBytes + other.receivedBytes,
    sentBytes: one.sentBytes + other.sentBytes,
  }
}

/** Whether there is a network namespace of its own to be changed. */
export function hasNamespace(deps: ContainerDeps, record: ContainerRecord): boolean {
  return isRunning(record, deps) || isHeld(record, deps)
}

/** Default route and published ports go by the uplink, wherever they went before. Safe to repeat. */
export async function leadThroughUplink(
  networks: Networks,
  { id, state }: ContainerRecord,
  leaving?: NetworkAttachment,
): Promise<void> {
  const uplink = uplinkOf(networks, state)
  if (uplink?.endpoint === undefined) return
  const to = networks.get(uplink.network)
  const netns = `/proc/${state.pid}/ns/net`
  try {
    await networks.routeBy(to, { containerId: id, netns, interface: uplink.endpoint.interface })
  } catch (error) {
    // what the container has done to its interfaces keeps nobody from taking it off a network
    log.warn(`the default route does not lead through network "${to.name}"`, { reason: String(error) })
  }
  const others = [...state.attachments.filter((one) => one !== uplink), ...(leaving === undefined ? [] : [leaving])]
  for (const other of others) {
    const from = networks.get(other.network)
    if (from.driver !== to.driver) {
      if ((other.endpoint?.ports.length ?? 0) > 0)
        log.warn(`published ports end with network "${from.name}": "${to.name}" has another driver`)
      continue
    }
    uplink.endpoint.ports = await networks.movePorts(from, to, id)
    if (other.endpoint !== undefined) other.endpoint.ports = []
  }
}
