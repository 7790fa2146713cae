/** The networks of a container: joined by its start, left by its end. */
import { isSkiffError } from "../base/errors.ts"
import { runAll } from "../base/run-all.ts"
import { trace } from "../base/trace.ts"
import type { PortReservation } from "../network/network.ts"
import type { PortChanges } from "./changes.ts"
import type { Abortable, ResolvedOptions, NetworkAttachment } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { writeHostsFile, writeResolvConf } from "./container-files.ts"
import type { ContainerRecord } from "./record.ts"

/** Those that a container has from its create. */
export function initialAttachments({ network, address, macAddress }: ResolvedOptions): NetworkAttachment[] {
  return network.kind === "bridge" ? [{ network: network.name, address, macAddress }] : []
}

/** As before the start. */
export function detached(attachments: readonly NetworkAttachment[]): NetworkAttachment[] {
  return attachments.map((attachment) => ({ ...attachment, endpoint: undefined }))
}

/**
 * Binds the published ports, before anything of the container runs: the monitor is to inherit their sockets. Undefined: none are
 * published.
 */
export async function reservePorts(
  deps: ContainerDeps,
  record: ContainerRecord,
  { abort }: Abortable,
): Promise<PortReservation | undefined> {
  const { ports } = record.spec.run
  const [first] = record.state.attachments
  if (first === undefined || ports.length === 0) return undefined
  const networks = await deps.networks()
  const { address, macAddress } = first
  try {
    const endpoint = { containerId: record.id, ports, address, macAddress }
    const reservation = await networks.reserve(networks.get(first.network), endpoint, { signal: abort })
    trace("ports reserved")
    return reservation
  } catch (error) {
    throw withHolder(deps, error)
  }
}

/** Loads the networks' code and opens what it needs, while the runtime makes the container. */
export function warmUpNetworks(deps: ContainerDeps, { state }: ContainerRecord): void {
  if (state.attachments.length === 0) return
  deps.networks().then(
    (networks) => networks.warmUp(),
    () => {}, // the join will say it
  )
}

/** Joins the namespace of the container's first process to each of its networks, in order, and writes its hosts file. */
export async function joinNetworks(
  deps: ContainerDeps,
  record: ContainerRecord,
  { reservation, abort }: Abortable & { reservation: PortReservation | undefined },
): Promise<void> {
  const { id, spec, state } = record
  if (state.attachments.length === 0 || state.pid === undefined) return
  const networks = await deps.networks()
  const { hostname, ports } = spec.run
  for (const [index, attachment] of state.attachments.entries()) {
    const network = networks.get(attachment.network)
    const endpoint = {
      containerId: id,
      netns: `/proc/${state.pid}/ns/net`,
      holder: state.pid,
      interface: `eth${index}`,
      defaultRoute: index === 0,
      hostname,
      names: [record.name, hostname, id.slice(0, 12)],
      nameServers: spec.options.dns,
      ports: index === 0 ? ports : [],
      address: attachment.address,
      macAddress: attachment.macAddress,
      reservation: index === 0 ? reservation : undefined,
      rate: spec.options.networkLimits?.rate,
      refuse: spec.options.networkLimits?.refuse,
    }
    try {
      const status = await networks.setup(network, endpoint, { signal: abort })
      attachment.endpoint = { ...status, networkId: network.id }
    } catch (error) {
      throw withHolder(deps, error)
    }
  }
  writeHostsFile(deps, record)
  showResolvers(deps, record)
  trace("network set up")
}

/** Has the container ask the resolvers of the networks that it is on by now. Those who knew none need no other file. */
export function showResolvers(deps: ContainerDeps, record: ContainerRecord): void {
  const endpoints = record.state.attachments.flatMap(({ endpoint }) => endpoint ?? [])
  if (endpoints.some(({ nameServer }) => nameServer !== undefined)) writeResolvConf(deps, record, endpoints)
}

/** Gives each interface of a container that runs its rate. Safe to repeat. */
export async function changeRate(deps: ContainerDeps, { id, spec, state }: ContainerRecord): Promise<void> {
  const networks = await deps.networks()
  for (const { network, endpoint } of state.attachments)
    if (endpoint !== undefined)
      await networks.setRate(networks.get(network), id, spec.options.networkLimits?.rate ?? {})
}

/** Publishes and takes back ports of a container that runs. Safe to repeat. Throws AlreadyExists for a taken port. */
export async function changePublished(
  deps: ContainerDeps,
  { id, state }: ContainerRecord,
  changes: PortChanges,
): Promise<void> {
  const [first] = state.attachments
  if (first?.endpoint === undefined) return
  const networks = await deps.networks()
  try {
    const ports = await networks.changePorts(networks.get(first.network), id, changes)
    first.endpoint = { ...first.endpoint, ports: [...ports] }
  } catch (error) {
    throw withHolder(deps, error)
  }
}

/** Addresses and published ports go; the veths go with their namespace. Safe to repeat. */
export async function leaveNetworks(deps: ContainerDeps, { id, state }: ContainerRecord): Promise<void> {
  if (state.attachments.length === 0) return
  const networks = await deps.networks()
  await runAll(
    `networks of container ${id}`,
    state.attachments.map(({ network, endpoint }) => async () => {
      try {
        await networks.teardown(networks.get(network), id, endpoint)
      } catch (error) {
        // a network that is gone has nothing of ours any more
        if (!isSkiffError(error, "NotFound")) throw error
      }
    }),
  )
}

/** A network knows containers by id: says by name which one has the port. */
function withHolder(deps: ContainerDeps, error: unknown): unknown {
  if (!isSkiffError(error) || typeof error.data.takenBy !== "string") return error
  const holder = deps.records.byId(error.data.takenBy)
  if (!holder) return error
  return error.restated(`${error.message} by container "${holder.name}"`, {
    hint: [{ do: "stop", container: holder.name }, "publish another port"],
  })
}
