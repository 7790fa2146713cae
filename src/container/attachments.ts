/** The networks of a container: joined by its start, left by its end. */
import { isSkiffError } from "../base/errors.ts"
import { runAll } from "../base/run-all.ts"
import { trace } from "../base/trace.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { Endpoint, EndpointStatus, Networks, PortReservation } from "../network/network.ts"
import type { PortChanges } from "./changes.ts"
import type { Abortable, ResolvedOptions, NetworkAttachment } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { rewriteResolvConf, writeResolvConf } from "./container-files.ts"
import { namesOn, writeHosts } from "./hosts-lines.ts"
import type { ContainerRecord } from "./record.ts"
import { nameInSandbox, unnameInSandbox } from "./sandbox-names.ts"

/** Those that a container has from its create. */
export function initialAttachments({ network, address, macAddress, networks }: ResolvedOptions): NetworkAttachment[] {
  if (network.kind !== "bridge") return []
  return networks?.map((request) => ({ ...request })) ?? [{ network: network.name, address, macAddress }]
}

/** The attachment that the default route and the published ports are led through. Throws NotFound. */
export function uplinkOf(
  networks: Pick<Networks, "arrange">,
  { attachments }: Pick<ContainerRecord["state"], "attachments">,
): NetworkAttachment | undefined {
  // one network needs no look at what it is
  return attachments.length < 2 ? attachments[0] : attachments[networks.arrange(attachments).uplink ?? 0]
}

/** As before the start, but for the addresses: the next one has the same, where they are still free. */
export function detached(attachments: readonly NetworkAttachment[]): NetworkAttachment[] {
  return attachments.map(({ lastAddress, endpoint, ...attachment }) => {
    const last = endpoint?.address ?? lastAddress
    return { ...attachment, ...(last !== undefined && { lastAddress: last }) }
  })
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
  if (record.state.attachments.length === 0 || ports.length === 0) return undefined
  const networks = await deps.networks()
  const uplink = uplinkOf(networks, record.state)
  if (uplink === undefined) return undefined
  try {
    const reservation = await networks.reserve(
      networks.get(uplink.network),
      { containerId: record.id, ports, ...wantedOf(record, uplink) },
      { signal: abort },
    )
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
  const { spec, state } = record
  if (spec.options.network.kind === "pasta") return (await import("./pasta-mode.ts")).connectPasta(deps, record)
  await nameInSandbox(deps, record)
  if (state.attachments.length === 0 || state.pid === undefined) return
  const networks = await deps.networks()
  const { interfaces, uplink } = networks.arrange(state.attachments)
  for (const [index, attachment] of state.attachments.entries()) {
    const isUplink = index === uplink
    try {
      attachment.endpoint = await joinOne(networks, record, attachment, {
        interface: interfaces[index] ?? `eth${index}`,
        defaultRoute: isUplink,
        ports: isUplink ? spec.run.ports : [],
        reservation: isUplink ? reservation : undefined,
        abort,
      })
    } catch (error) {
      throw withHolder(deps, error)
    }
    crashPoint("start:network-joined")
  }
  writeHosts(deps, record, state.attachments[uplink ?? 0])
  showResolvers(deps, record)
  trace("network set up")
}

/** Has the container ask the resolvers of the networks that it is on by now. Those who knew none need no other file. */
function showResolvers(deps: ContainerDeps, record: ContainerRecord): void {
  const endpoints = endpointsOf(record.state.attachments)
  if (endpoints.some(({ nameServer }) => nameServer !== undefined)) writeResolvConf(deps, record, endpoints)
}

/**
 * The same, of a container whose endpoints were `before`: where another resolver is to be asked now, and the file is as we wrote it and
 * not the container's own work.
 */
export function followResolvers(
  deps: ContainerDeps,
  record: ContainerRecord,
  before: readonly Pick<EndpointStatus, "nameServer" | "searchDomain">[],
): void {
  rewriteResolvConf(deps, record, before, endpointsOf(record.state.attachments))
}

/** Those that are there. */
export function endpointsOf(attachments: readonly NetworkAttachment[]): NonNullable<NetworkAttachment["endpoint"]>[] {
  return attachments.flatMap(({ endpoint }) => endpoint ?? [])
}

/** Makes one endpoint of a container whose first process is there. */
export async function joinOne(
  networks: Networks,
  record: ContainerRecord,
  attachment: NetworkAttachment,
  {
    abort,
    ...given
  }: Abortable & Pick<Endpoint, "interface" | "defaultRoute" | "ports"> & Pick<Partial<Endpoint>, "reservation">,
): Promise<NonNullable<NetworkAttachment["endpoint"]>> {
  const { id, spec, state } = record
  const network = networks.get(attachment.network)
  const endpoint = {
    ...given,
    containerId: id,
    netns: `/proc/${state.pid}/ns/net`,
    ...(state.pid === undefined ? {} : { holder: state.pid }),
    hostname: spec.run.hostname,
    ...wantedOf(record, attachment),
    nameServers: spec.options.dns,
    ownSysctls: Object.keys(spec.options.sysctls),
    rate: spec.options.networkLimits?.rate,
    refuse: spec.options.networkLimits?.refuse,
    allow: spec.options.egress?.allow,
  }
  return { ...(await networks.setup(network, endpoint, { signal: abort })), networkId: network.id }
}

/** What is asked of a network for a container: addresses, and the names by which others find it there. */
function wantedOf(
  record: ContainerRecord,
  attachment: NetworkAttachment,
): Pick<Endpoint, "address" | "address6" | "macAddress" | "preferredAddress" | "names" | "sysctls"> {
  const { address, address6, macAddress, lastAddress } = attachment
  const names = namesOn(record, attachment)
  return { address, address6, macAddress, preferredAddress: lastAddress, names, sysctls: attachment.sysctls }
}

/** Gives each interface of a container that runs its rate. Safe to repeat. */
export async function changeRate(deps: ContainerDeps, { id, spec, state }: ContainerRecord): Promise<void> {
  const networks = await deps.networks()
  for (const { network, endpoint } of state.attachments)
    if (endpoint !== undefined)
      await networks.setRate(networks.get(network), id, spec.options.networkLimits?.rate ?? {})
}

/** Gives each interface of a container that runs its rules for where it may send. Safe to repeat. */
export async function changeEgress(deps: ContainerDeps, { id, spec, state }: ContainerRecord): Promise<void> {
  const networks = await deps.networks()
  for (const { network, endpoint } of state.attachments)
    if (endpoint !== undefined) await networks.setEgress(networks.get(network), id, spec.options.egress?.allow)
}

/** Publishes and takes back ports of a container that runs. Safe to repeat. Throws AlreadyExists for a taken port. */
export async function changePublished(
  deps: ContainerDeps,
  { id, state }: ContainerRecord,
  changes: PortChanges,
): Promise<void> {
  const networks = await deps.networks()
  const uplink = uplinkOf(networks, state)
  if (uplink?.endpoint === undefined) return
  try {
    const ports = await networks.changePorts(networks.get(uplink.network), id, changes)
    uplink.endpoint = { ...uplink.endpoint, ports: [...ports] }
  } catch (error) {
    throw withHolder(deps, error)
  }
}

/** Addresses and published ports go; the veths go with their namespace. Safe to repeat. */
export async function leaveNetworks(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  const { id, state } = record
  if (record.spec.options.network.kind === "pasta")
    return (await (await deps.networks()).pastaNamespaces()).disconnect(id)
  const { attachments, leaving } = state
  await unnameInSandbox(deps, record)
  if (attachments.length === 0 && leaving === undefined) return
  const networks = await deps.networks()
  const all = leaving === undefined ? attachments : [...attachments, leaving]
  await runAll(
    `networks of container ${id}`,
    all.map((attachment) => async () => {
      try {
        const network = networks.get(attachment.network)
        await networks.teardown(network, id, attachment.endpoint)
        if (attachment === leaving) networks.release(id, network)
      } catch (error) {
        // a network that is gone has nothing of ours any more
        if (!isSkiffError(error, "NotFound")) throw error
      }
    }),
  )
  // what a killed connect or disconnect had begun is done with
  delete state.leaving
}

/** A network knows containers by id: says by name which one has the port, or the address. */
export function withHolder(deps: ContainerDeps, error: unknown): unknown {
  if (!isSkiffError(error)) return error
  const { takenBy, addressTakenBy } = error.data
  if (typeof addressTakenBy === "string") {
    const owner = deps.records.byId(addressTakenBy)
    const message = error.message.replace(/ by container \S+$/, ` by container "${owner?.name}"`)
    return owner === undefined ? error : error.restated(message, { hint: "choose another address" })
  }
  const holder = typeof takenBy === "string" ? deps.records.byId(takenBy) : undefined
  if (!holder) return error
  return error.restated(`${error.message} by container "${holder.name}"`, {
    hint: [{ do: "stop", container: holder.name }, "publish another port"],
  })
}
