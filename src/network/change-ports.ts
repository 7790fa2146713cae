/** Ports that are published and taken back while their container runs. */
import { throwIfAborted, type Cancellable } from "../base/cancel.ts"
import type { Database } from "../base/database.ts"
import { FailedPrecondition } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { releasePort } from "../sys/net/host-port.ts"
import { getLink } from "../sys/net/rtnetlink.ts"
import { letGo, takeSocketsOf, type ClaimedPort } from "./claim-ports.ts"
import type { Firewall } from "./firewall.ts"
import { placeOf } from "./host-place.ts"
import type { HostSockets } from "./host-side.ts"
import type { Network, PortChanges } from "./network.ts"
import type { PublishedPort } from "./nftables.ts"
import type { PortHolders } from "./port-holders.ts"
import type { EndpointRecords, EndpointRow, PortRow } from "./records.ts"

/** What the change stands on; the driver gives it. */
export interface PortChangeDeps {
  db: Database
  records: EndpointRecords
  firewall: Firewall
  holders: PortHolders
  /** Claims them in the records and on the host. Runs inside the transaction. */
  claim(row: EndpointRow, ports: readonly PortMapping[]): ClaimedPort[]
  /** Shows claimed ports to the host's tools as the endpoint's. Undefined where pasta binds them. */
  show: ((row: EndpointRow, claimed: readonly ClaimedPort[]) => void) | undefined
  /** Where pasta binds them: gives all back to the host; binds these. */
  unbind(): Promise<void>
  rebind(row: EndpointRow, ports: readonly PublishedPort[]): Promise<void>
}

/** See `NetworkDriver.changePorts`. Gives the ports of the endpoint. */
export async function changePorts(
  deps: PortChangeDeps,
  { host, network, containerId }: { host: HostSockets; network: Network; containerId: string },
  changes: PortChanges,
  { signal }: Cancellable = {},
): Promise<readonly PublishedPort[]> {
  const { db, records, firewall, show } = deps
  // a port that goes from one to another of the container's own: pasta would be found to have it
  if (show === undefined && isMoved(changes)) await deps.unbind()
  await firewall.ensure(host.netfilter, network, signal)
  await db.whenFree(signal)
  throwIfAborted(signal, "the change of published ports")
  const { row, removed, added } = db.transaction(() => changeNow(deps, { host, network, containerId }, changes))
  const ports = (): PortRow[] => records.ports(containerId).filter(({ networkId }) => networkId === network.id)
  if (show !== undefined) freeSockets(host, row, removed)
  else
    try {
      await deps.rebind(row, ports())
    } catch (error) {
      db.transaction(() => {
        records.removePorts(added)
        for (const port of removed) records.addPort(row, port)
        firewall.change(host.netfilter, { add: removed, remove: added })
      })
      await deps.rebind(row, ports())
      throw error
    }
  return ports()
}

/** Records, firewall and sockets in one transaction: they are all changed, or none is. */
function changeNow(
  { records, firewall, holders, claim, show }: PortChangeDeps,
  { host, network, containerId }: { host: HostSockets; network: Network; containerId: string },
  { publish, unpublish }: PortChanges,
): { row: EndpointRow; removed: PortRow[]; added: PublishedPort[] } {
  const row = records.get(containerId, network.id)
  if (row === undefined)
    throw new FailedPrecondition(`the container is not on network "${network.name}"`, { data: { containerId } })
  const own = records.ports(containerId).filter(({ networkId }) => networkId === network.id)
  const removed = own.filter((port) => unpublish.some((one) => isSame(port, one)))
  records.removePorts(removed)
  const left = own.filter((port) => !removed.includes(port))
  const claimed = claim(
    row,
    publish.filter((one) => !left.some((port) => isSame(port, one))),
  )
  const added = claimed.map(({ port }) => port)
  try {
    show?.(row, claimed)
    if (show !== undefined)
      holders.hold(
        containerId,
        claimed.flatMap(({ bound }) => bound.map(({ socket }) => socket)),
      )
    firewall.change(host.netfilter, { add: added, remove: removed })
  } finally {
    letGo(claimed)
  }
  return { row, removed, added }
}

function isMoved({ publish, unpublish }: PortChanges): boolean {
  return publish.some(({ hostPort }) => unpublish.some((one) => one.hostPort === hostPort))
}

function isSame(port: PublishedPort, { protocol, containerPort, hostPort, hostAddress }: PortMapping): boolean {
  return (
    port.protocol === protocol &&
    port.containerPort === containerPort &&
    port.hostPort === hostPort &&
    port.hostAddress === placeOf(hostAddress)
  )
}

/** The monitor keeps the sockets of ports that went, and cannot be told to close them: they are made to stand in nobody's way. */
function freeSockets(host: HostSockets, { hostInterface }: EndpointRow, removed: readonly PortRow[]): void {
  if (removed.length === 0) return
  const { index } = getLink(host.route, hostInterface)
  for (const { protocol, hostPort } of removed)
    if (protocol !== "sctp")
      for (const socket of takeSocketsOf(protocol, hostPort, index)) releasePort(socket, protocol)
}
