/** A container joins one more network, running or not. */
import { crashPoint } from "../base/crash-point.ts"
import { AlreadyExists, FailedPrecondition, hasErrno, InvalidArgument } from "../base/errors.ts"
import type { Network, Networks } from "../network/network.ts"
import { endpointsOf, followResolvers, joinOne, uplinkOf, withHolder } from "./attachments.ts"
import type { Abortable, NetworkAttachment, NetworkRequest } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { connectionEvent } from "./events.ts"
import { addToHosts } from "./hosts-lines.ts"
import { leasing } from "./lease-addresses.ts"
import { checkRequest } from "./requested-networks.ts"
import { reconciled } from "./reconcile-now.ts"
import type { ContainerRecord } from "./record.ts"
import { hasNamespace, leadThroughUplink, takeOff } from "./take-off.ts"

/** See `Containers.connect`. */
export async function connect(
  deps: ContainerDeps,
  nameOrId: string,
  request: NetworkRequest,
  { abort }: Abortable = {},
): Promise<void> {
  const { id } = deps.records.get(nameOrId)
  using lock = await deps.locks.acquire(id, { signal: abort })
  const record = await reconciled(deps, id, lock)
  const networks = await deps.networks()
  const network = networks.get(request.network)
  check(record, network, request)
  const attachment: NetworkAttachment = { ...request, network: network.name }
  const lease = await leasing(deps, id, [attachment])
  await deps.records.whenFree(abort)
  if (!hasNamespace(deps, record)) {
    record.state.attachments = [...record.state.attachments, attachment]
    return deps.records.saveWith(record, lease)
  }
  // until it is on it, whoever finds us dead takes it off again
  record.state.leaving = attachment
  deps.records.saveWith(record, lease)
  crashPoint("connect:recorded")
  try {
    await joinLive(deps, networks, record, { attachment, abort })
  } catch (error) {
    record.state.attachments = record.state.attachments.filter((one) => one !== attachment)
    await takeOff(deps, record)
    deps.records.save(record)
    throw withHolder(deps, error)
  }
  delete record.state.leaving
  await deps.records.whenFree()
  deps.records.save(record, [connectionEvent(id, attachment, "connect")])
}

/** Interface, address and names first; then the uplink, where that is another now, and the ports with it. */
async function joinLive(
  deps: ContainerDeps,
  networks: Networks,
  record: ContainerRecord,
  { attachment, abort }: Abortable & { attachment: NetworkAttachment },
): Promise<void> {
  const { state, spec } = record
  const taken = state.attachments.flatMap(({ endpoint }) => endpoint?.interface ?? [])
  const [name = "eth0"] = networks.arrange([attachment], taken).interfaces
  if (taken.includes(name))
    throw new InvalidArgument(`interface name "${name}" is taken in container "${record.name}"`, { field: "interface" })
  try {
    attachment.endpoint = await joinOne(networks, record, attachment, {
      interface: name,
      defaultRoute: false,
      ports: [],
      abort,
    })
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error
    throw new FailedPrecondition(`container "${record.name}" has made an interface "${name}" itself`, {
      hint: "ask for another name of the interface",
      cause: error,
    })
  }
  crashPoint("connect:joined")
  const isFirst = state.attachments.length === 0
  const before = state.attachments
  state.attachments = [...before, attachment]
  if (uplinkOf(networks, state) === attachment) await leadThroughUplink(networks, record)
  const network = networks.get(attachment.network)
  if (isFirst && spec.run.ports.length > 0) {
    const changes = { publish: spec.run.ports, unpublish: [] }
    attachment.endpoint.ports = await networks.changePorts(network, record.id, changes)
  }
  crashPoint("connect:led")
  addToHosts(deps, record, attachment)
  followResolvers(deps, record, endpointsOf(before))
}

/** Throws what a connect is refused for, before anything is made. */
function check({ id, name, spec, state }: ContainerRecord, network: Network, request: NetworkRequest): void {
  const { kind } = spec.options.network
  if (kind === "host" || kind === "container" || kind === "path" || spec.options.sandbox !== undefined)
    throw new FailedPrecondition(
      "container sharing network namespace with another container or host cannot be connected to any other network",
      { field: "network", hint: "connect the container, or make the pod on the network, whose namespace it is" },
    )
  if (kind === "pasta")
    throw new FailedPrecondition('"pasta" is not supported: invalid network mode', {
      field: "network",
      hint: "make it on a network of the driver bridge",
    })
  if (kind === "none")
    throw new FailedPrecondition(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
      { field: "network", hint: "make it on a network" },
    )
  if (state.attachments.some((one) => one.network === network.name))
    throw new AlreadyExists(`container ${name} is already connected to network ${network.name}`, {
      data: { object: "endpoint", name, id, network: network.name },
    })
  checkRequest({ ...request, network: network.name })
}
